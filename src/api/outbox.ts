import { Elysia } from "elysia";
import { z } from "zod";
import { auditedReplay } from "../audit/audited-replay.ts";
import type { Database } from "../db/database.ts";
import { findOutboxRow, listOutbox } from "../outbox/outbox-rows.ts";
import { countReplay, type Replay, type Selection } from "../outbox/replay.ts";
import { problem } from "../platform/problem.ts";
import { findPool } from "../pools/pool-view.ts";
import { CHANGES, describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { outboxFilter, outboxFilterShape, replayBody } from "./outbox-filter.ts";
import { idParams, pageOfQuery, pageQuery } from "./params.ts";

/** Longer than this nobody waits for a page; the next one goes on. */
const SEARCH_MS = 3_000;

const describe = describeRoute("Outbox");
const listQuery = z.strictObject({ ...outboxFilterShape, ...pageQuery });

/** `/api/outbox`: where every event is, and sending or dropping it. */
export function outboxApi(deps: ApiRouteDeps) {
  const { db } = deps;
  return new Elysia({ name: "api.outbox", prefix: "/api" })
    .use(apiGuard(deps))
    .get(
      "/outbox",
      async ({ query: { cursor, limit, ...filter } }) =>
        (await unknownPool(db, filter.pool, "pool")) ??
        listOutbox(db, outboxFilter(filter), { ...pageOfQuery({ cursor, limit }), budgetMs: SEARCH_MS }),
      {
        query: listQuery,
        detail: describe(
          "List events, newest first",
          { 200: "OutboxPage", 400: null },
          "A search that no index serves looks through the newest events for some seconds: its page may be short or empty, and next_cursor goes on from there. null means that everything was looked at.",
        ),
      },
    )
    .get(
      "/outbox/:id",
      async ({ params }) =>
        (await findOutboxRow(db, params.id)) ??
        problem(404, { detail: `There is no outbox row ${params.id}.` }),
      {
        params: idParams,
        detail: describe("Read an event, its payload and every request made for it", {
          200: "OutboxDetail",
          404: null,
        }),
      },
    )
    .post(
      "/outbox/retry",
      ({ body, actor, request, server }) => {
        waitForIt(server, request);
        return replayed(deps, "retry", body, actor);
      },
      {
        parse: "json",
        body: replayBody,
        detail: describe(
          "Send events again",
          { 200: "Replayed", ...CHANGES },
          "Delivered events are never sent again, and those being sent are left alone.",
        ),
      },
    )
    .post(
      "/outbox/discard",
      ({ body, actor, request, server }) => {
        waitForIt(server, request);
        return replayed(deps, "discard", body, actor);
      },
      {
        parse: "json",
        body: replayBody,
        detail: describe(
          "Take events out of the queue",
          { 200: "Replayed", ...CHANGES },
          "A discarded event can still be retried, as long as it is kept.",
        ),
      },
    );
}

/** Millions of rows take longer than a silent connection is kept open for. */
function waitForIt(
  server: { timeout(request: Request, seconds: number): void } | null,
  request: Request,
): void {
  server?.timeout(request, 0);
}

async function replayed(
  { db, now }: ApiRouteDeps,
  action: Replay,
  { ids, filter, dry_run }: z.output<typeof replayBody>,
  actor: string,
) {
  const refused = await unknownPool(db, filter?.pool, "filter.pool");
  if (refused !== undefined) return refused;
  const selection: Selection = ids === undefined ? { filter: outboxFilter(filter ?? {}) } : { ids };
  if (dry_run) return { action, dry_run: true, rows: await countReplay(db, action, selection) };
  return { action, dry_run: false, rows: await auditedReplay(db, now, { action, selection, actor }) };
}

/** A misspelt pool has no events, which could be taken for an answer. */
async function unknownPool(
  db: Database,
  slug: string | undefined,
  path: string,
): Promise<Response | undefined> {
  if (slug === undefined || (await findPool(db, db.tables, slug)) !== null) return undefined;
  return problem(400, {
    detail: `There is no pool "${slug}". GET /api/pools lists them.`,
    errors: [{ path, message: "names no pool" }],
  });
}
