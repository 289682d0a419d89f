import { botSchema, botWithWebhookSchema, webhookSchema } from "./schemas/bots.ts";
import { apiKeySchema, newApiKeySchema } from "./schemas/keys.ts";
import { pageOf } from "./schemas/kinds.ts";
import { offerSchema } from "./schemas/offers.ts";
import { outboxDetailSchema, outboxRowSchema, replayedSchema } from "./schemas/outbox.ts";
import { outboxStatusSchema, routeChangedSchema } from "./schemas/outbox-routes.ts";
import { overviewSchema } from "./schemas/overview.ts";
import { linkSchema, pixelSchema, testEventSchema } from "./schemas/pool-trials.ts";
import { poolSchema } from "./schemas/pools.ts";
import { erasureAnswerSchema } from "./schemas/privacy.ts";
import { problemSchema } from "./schemas/problem.ts";
import { auditEntrySchema, gateRefusalsSchema } from "./schemas/reports.ts";
import { timelineSchema, timelinesSchema } from "./schemas/sessions.ts";

/**
 * What the API answers with, for its documentation and for the tests that hold the answers to it, by the name that it
 * has in the OpenAPI document. Each stands in `schemas/` under its route's file name. The types come from the views: a
 * schema that lacks one of a view's fields, or gives it a value of another type, does not compile. One that has a field
 * too many, or a word too few, does; the tests find it.
 */
export const SCHEMAS = {
  Pool: poolSchema,
  PoolPage: pageOf(poolSchema),
  PoolLink: linkSchema,
  PoolPixel: pixelSchema,
  TestEvent: testEventSchema,
  Bot: botSchema,
  BotPage: pageOf(botSchema),
  BotWithWebhook: botWithWebhookSchema,
  Webhook: webhookSchema,
  Offer: offerSchema,
  OfferPage: pageOf(offerSchema),
  ApiKey: apiKeySchema,
  ApiKeyPage: pageOf(apiKeySchema),
  NewApiKey: newApiKeySchema,
  Timeline: timelineSchema,
  Timelines: timelinesSchema,
  AuditPage: pageOf(auditEntrySchema),
  Overview: overviewSchema,
  GateRefusals: gateRefusalsSchema,
  OutboxPage: pageOf(outboxRowSchema),
  OutboxDetail: outboxDetailSchema,
  OutboxStatus: outboxStatusSchema,
  RouteChanged: routeChangedSchema,
  Replayed: replayedSchema,
  Erasure: erasureAnswerSchema,
  Problem: problemSchema,
} as const;

export type SchemaName = keyof typeof SCHEMAS;
