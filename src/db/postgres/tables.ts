import { defineSchema } from "../define-schema.ts";
import { postgresKit } from "./kit.ts";

// One named export a table: drizzle-kit reads a schema from a module's exports.
export const {
  pools,
  bots,
  poolBots,
  gateRefusals,
  sessions,
  botUsers,
  funnelStates,
  offers,
  telegramUpdates,
  payments,
  outbox,
  outboxEvents,
  outboxProgress,
  outboxAttempts,
  outboxRoutes,
  dispatchers,
  funnelHourly,
  deliveryRates,
  auditLog,
  apiKeys,
  operatorSessions,
  settings,
} = defineSchema(postgresKit);
