import { Elysia } from "elysia";
import { z } from "zod";
import type { Config } from "../config.ts";
import { peerOf } from "../platform/peer.ts";
import { problem } from "../platform/problem.ts";
import { NO_BODY } from "../platform/refusal.ts";
import { baseUrl, FACEBOOK_UTM } from "../pools/ad-link.ts";
import type { ManageDeps } from "../pools/manage-pools.ts";
import { poolChangeSchema } from "../pools/pool-rules.ts";
import { findPool, findPoolRow } from "../pools/pool-view.ts";
import { checkPoolPixel, sendTestEvent } from "../pools/try-pixel.ts";
import { insufficientScope } from "./authorize.ts";
import { CHANGES, describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { linkAnswer } from "./link-answer.ts";
import { missingText, pixelAnswer, testEventAnswer } from "./pixel-answers.ts";
import { noSuchPool, poolParams as params } from "./pools.ts";

const describe = describeRoute("Pools");
const parameter = z.string().max(300).optional();
const linkQuery = z
  .object(Object.fromEntries(Object.keys(FACEBOOK_UTM).map((name) => [name, parameter])))
  .catchall(z.string().max(300));
const testBody = z
  .strictObject({ test_event_code: poolChangeSchema.shape.meta_test_event_code })
  .meta({ example: { test_event_code: "TEST12345" } });

export interface PoolTrialDeps extends ManageDeps, ApiRouteDeps {
  readonly config: Pick<Config, "publicUrl" | "port" | "meta">;
  /** Who a client is, as the redirect tells it. */
  readonly clientAddress: { find(peer: string | null, forwardedFor: string | null): string | null };
}

/** What an ad needs of a pool, and whether Meta takes its events: as on the pool's page in the console. */
export function poolTrialsApi(deps: PoolTrialDeps) {
  const { db, config } = deps;
  const pixelDeps = { ...deps, meta: config.meta };

  return new Elysia({ name: "api.pools.trials", prefix: "/api/pools" })
    .use(apiGuard(deps))
    .get(
      "/:slug/link",
      async ({ params, query, scope }) => {
        const pool = await findPool(db, db.tables, params.slug);
        if (pool === null) return noSuchPool(params.slug);
        if (pool.meta_cloaker_enabled && scope !== "write") return gateIsSecret();
        const asked = new Map(Object.entries(query).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
        const answer = linkAnswer(config, pool, asked);
        const errors = [...asked.keys()]
          .filter((name) => !Object.hasOwn(answer.values, name))
          .map((path) => ({ path, message: "the pool does not keep it; see capture_params" }));
        return errors.length > 0
          ? problem(422, { detail: "The link would lose some of its parameters.", errors })
          : answer;
      },
      {
        params,
        query: linkQuery,
        detail: describe(
          "Build a pool's link for ads",
          { 200: "PoolLink", 404: null, 422: null, 403: null },
          "With the gate's parameter and Facebook's macros; any parameter that the pool keeps may be given otherwise, an empty one is left out. Where the pool has a gate, the link holds its secret: only a key that may write gets it.",
        ),
      },
    )
    .get(
      "/:slug/pixel",
      async ({ params }) => {
        const row = await findPoolRow(db, db.tables, params.slug);
        return row
          ? pixelAnswer(await checkPoolPixel(pixelDeps, row), row.metaPixelId)
          : noSuchPool(params.slug);
      },
      {
        params,
        detail: describe(
          "Ask Meta whether a pool's token reaches its pixel",
          { 200: "PoolPixel", 404: null },
          "Without an event. Takes as long as Meta does, ten seconds at most.",
        ),
      },
    )
    .post(
      "/:slug/test-event",
      async ({ params, body, actor, request, server }) => {
        const row = await findPoolRow(db, db.tables, params.slug);
        if (!row) return noSuchPool(params.slug);
        const code = body.test_event_code ?? row.metaTestEventCode;
        if (code === null) return noCode();
        const peer = peerOf(request, server);
        const test = await sendTestEvent(pixelDeps, actor, row, {
          code,
          url: `${baseUrl(config)}/go/${row.slug}`,
          userAgent: request.headers.get("user-agent"),
          clientIp: deps.clientAddress.find(peer, request.headers.get("x-forwarded-for")),
        });
        return test.kind === "sent"
          ? testEventAnswer(test, code)
          : problem(422, { detail: `Nothing was sent. ${missingText(test)}` });
      },
      {
        params,
        parse: "json",
        transform(context: { body: unknown }) {
          if (context.body === NO_BODY) context.body = {};
        },
        body: testBody,
        detail: describe(
          "Send one PageView to Meta at once",
          { 200: "TestEvent", 404: null, 422: null, ...CHANGES },
          "Past the outbox, with Meta's answer as it came. Events Manager shows it under Test events; Meta counts it like any other. Without a code, the pool's own is used.",
        ),
      },
    );
}

function gateIsSecret(): Response {
  return insufficientScope(
    "The link holds the gate's secret, and this API key may only read. Use one with the scope write.",
  );
}

function noCode(): Response {
  return problem(422, {
    detail: "Nothing was sent: neither the request nor the pool has a test code.",
    errors: [
      { path: "test_event_code", message: "give the code that Events Manager shows under Test events" },
    ],
  });
}
