import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Database, RawNumber } from "../../src/db/database.ts";
import { pauseRoute } from "../../src/outbox/change-route.ts";
import { resumeRoute } from "../../src/outbox/resume-route.ts";
import { formatRoute } from "../../src/outbox/routes.ts";
import { ROLLUPS } from "../../src/rollups/rollups.ts";
import { NO_WATERMARKS } from "../../src/rollups/watermarks.ts";
import { PIXEL, seedVisits } from "./seed.ts";
import type { Place } from "./servers/databases.ts";
import { startPonte } from "./servers/ponte.ts";

const ROUTE = { destination: "meta", route: formatRoute(PIXEL, null) } as const;
/** A drain that takes longer than this is stuck. */
const DEADLINE_MS = 120_000;
/** For what a process does once when it starts. */
const SETTLING_MS = 1_000;

/**
 * Fills the outbox with the events of as many visits, lets a fresh dispatcher process send them to the sandbox, and
 * answers how many it delivers a second: from its first request to the last row that is marked delivered.
 *
 * @throws Error where an event did not arrive, or arrived twice
 */
export async function drainOutbox(
  place: Place,
  graphUrl: string,
  events: number,
  bunArguments?: readonly string[],
): Promise<number> {
  const { db } = place;
  await db.transaction((tx) => pauseRoute(tx, db, ROUTE, "until all is ready"));
  const [last] = await db.rows<{ id: RawNumber | null }>(sql`select max(id) as id from outbox_progress`);
  await seedVisits(db, events, 0);
  const before = await received(graphUrl);
  await holdCounting(db);
  const dispatcher = await startPonte({ ...place, graphUrl, role: "dispatcher", bunArguments });
  try {
    await Bun.sleep(SETTLING_MS);
    await holdCounting(db);
    await db.transaction((tx) => resumeRoute(tx, db, ROUTE));
    await untilDelivered(place, graphUrl, before.first_deliveries + events);
  } finally {
    await dispatcher.stop();
  }
  const after = await received(graphUrl);
  if (after.count !== before.count + events) {
    throw new Error(`${events} events were due, and ${after.count - before.count} arrived`);
  }
  const { epochMs } = db.dialect;
  const [span] = await db.rows<{ began: number; ended: number }>(sql`
    select (select min(${epochMs(sql`started_at`)}) from outbox_attempts where started_at >= (select min(created_at) from outbox_progress where id > ${Number(last?.id ?? 0)})) as began,
           (select max(${epochMs(sql`delivered_at`)}) from outbox_progress where id > ${Number(last?.id ?? 0)}) as ended`);
  if (!span) throw new Error("no row answered");
  return (events / (span.ended - span.began)) * 1_000;
}

/**
 * Takes the lease for counting the visits for the console, for some seconds. All that were written for the drain are new
 * to it, every ten seconds: so it would fall into some rounds and not into others.
 */
async function holdCounting(db: Database): Promise<void> {
  const { settings } = db.tables;
  const lease = {
    key: ROLLUPS,
    value: JSON.stringify(NO_WATERMARKS),
    updatedAt: sql<Date>`${db.dialect.now}`,
  };
  await db.transaction(async (tx) => {
    const taken = { updatedAt: lease.updatedAt };
    await tx.insert(settings).values(lease).onConflictDoUpdate({ target: settings.key, set: taken });
  });
}

const countSchema = z.object({ count: z.number(), first_deliveries: z.number() });

async function received(graphUrl: string) {
  return countSchema.parse(await (await fetch(`${graphUrl}/events/count`)).json());
}

/** Asks the sandbox while events arrive, and the database only once all have: the drain is left alone. */
async function untilDelivered({ db }: Place, graphUrl: string, arrivals: number): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    await Bun.sleep(50);
    if ((await received(graphUrl)).first_deliveries < arrivals) continue;
    const [row] = await db.rows<{ n: RawNumber }>(
      sql`select count(*) as n from outbox_progress where status in ('pending', 'sending')`,
    );
    if (Number(row?.n) === 0) return;
  }
  throw new Error("the outbox was not drained in two minutes");
}
