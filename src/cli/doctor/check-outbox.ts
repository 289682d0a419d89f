import { and, asc, eq, sql } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { hasStatus } from "../../outbox/filter.ts";
import { ALIVE_MS, lastSignMs } from "../../outbox/heartbeat.ts";
import { isOperators, isRoute } from "../../outbox/route-rows.ts";
import { accountOf, type RouteKey } from "../../outbox/routes.ts";
import { outboxBacklog } from "../../outbox/status.ts";
import { DAY_MS } from "../../platform/durations.ts";
import { count, duration } from "../print.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

/** Whether somebody sends what waits. */
export async function checkDispatcher(db: Database): Promise<Finding> {
  const ageMs = await lastSignMs(db);
  const todo = "Start Ponte: bun run start, with ROLE all or dispatcher.";
  if (ageMs === null) return warning("dispatcher", "none runs: events wait", todo);
  return ageMs > ALIVE_MS
    ? warning("dispatcher", `the last sign of life is ${duration(ageMs)} old: events wait`, todo)
    : good("dispatcher", `a sign of life ${duration(ageMs)} ago`);
}

/** How an event ends that was neither delivered nor discarded by somebody. */
const ENDED_BADLY = [
  {
    status: "dead",
    one: "given up: the other side never took it",
    many: "given up: the other side never took them",
  },
  {
    status: "expired",
    one: "never sent: too old when its turn came",
    many: "never sent: too old when their turn came",
  },
] as const;

/** Whether anything is held up or was given up. */
export async function checkOutbox(db: Database): Promise<Finding[]> {
  const { outboxProgress } = db.tables;
  const ended = await Promise.all(
    ENDED_BADLY.map(async ({ status, one, many }) => {
      const events = await db.$count(outboxProgress, hasStatus(outboxProgress, status));
      const todo = `See: bun run ponte outbox list --status ${status}`;
      return events > 0 ? [warning("outbox", count(events, `event ${one}`, `events ${many}`), todo)] : [];
    }),
  );
  const unsent = ended.flat();
  const routes = await outboxBacklog(db);
  const paused = routes.filter(({ state }) => state === "paused");
  const waiting = routes.reduce((sum, route) => sum + route.waiting, 0);
  return [
    ...(await Promise.all(
      paused.map(async (route) =>
        bad(
          "outbox",
          `${route.destination} route ${route.route} is paused with ${count(route.waiting, "event")}: ${route.paused_reason}`,
          await whatEndsPause(db, route),
        ),
      ),
    )),
    ...(unsent.length > 0 ? unsent : [good("outbox", `${count(waiting, "event")} waiting, none given up`)]),
  ];
}

/** A new token ends by itself what Meta's refusal of the old one began, but no operator's own pause. */
async function whatEndsPause(db: Database, key: RouteKey): Promise<string> {
  const { outboxRoutes, pools } = db.tables;
  const resume = `bun run ponte outbox resume ${key.route} --destination ${key.destination}`;
  const operators = await db.$count(outboxRoutes, and(isRoute(db, key), isOperators(db)));
  if (key.destination !== "meta" || operators > 0) return `Put that right, then: ${resume}`;
  const [pool] = await db
    .select({ slug: pools.slug })
    .from(pools)
    .where(eq(pools.metaPixelId, accountOf(key).route))
    .orderBy(asc(pools.id))
    .limit(1);
  return `A new token ends the pause: bun run ponte pool update ${pool?.slug ?? "<slug>"} --access-token -. Where something else is to blame, a permission or META_GRAPH_VERSION, put that right, then: ${resume}`;
}

/** Whether Meta counted fewer events than it was sent; they were sent again, apart. */
export async function checkPartial(db: Database): Promise<Finding[]> {
  const { outboxAttempts } = db.tables;
  const { now, plusMs } = db.dialect;
  const isRecent = sql`${outboxAttempts.startedAt} > ${plusMs(now, -DAY_MS)}`;
  const partial = await db.$count(outboxAttempts, and(eq(outboxAttempts.outcome, "partial"), isRecent));
  const todo =
    "See docs/sql.md, question 9, for when and for which pixel; Meta's support asks for the fbtrace_id.";
  return partial > 0
    ? [warning("meta", `${count(partial, "request")} in a day of which Meta counted only a part`, todo)]
    : [];
}
