import type { Database } from "../../../src/db/database.ts";
import { claim } from "../../../src/outbox/lease.ts";
import { settle } from "../../../src/outbox/settle.ts";
import { waitingRoutes } from "../../../src/outbox/waiting-routes.ts";
import { newId } from "../../../src/platform/ids.ts";
import { recordVisits } from "../../../src/redirect/record-visits.ts";
import type { VisitRecord } from "../../../src/redirect/visit-record.ts";
import { PIXEL, visitMaker } from "../../bench/seed.ts";
import { median } from "../../bench/statistics.ts";
import type { Costs } from "./table.ts";

const BATCH = 64;
/** So many batches of visits a round are just above what one claim takes. */
const BATCHES = 16;
const CLAIM = 1_000;
/** Rounds that are not counted: code, connections, statements and caches become warm. */
const WARM_UP = 5;
const LOOKS = 10;

/** A filled database, and how many delivered events it began with. */
export interface Filled {
  readonly db: Database;
  readonly rows: number;
}

/**
 * Records visits, looks for waiting routes, and drains what was recorded, each by the server's own code, in rounds. The
 * databases take turns in every round, so that whatever else the machine does weighs on all of them alike.
 */
export async function measure(
  databases: readonly Filled[],
  rounds: number,
  say: (line: string) => void,
): Promise<Costs[]> {
  const turns = await Promise.all(
    databases.map(async ({ db, rows }) => {
      const taken: Round[] = [];
      return { db, rows, taken, visitsFrom: await visitMaker(db, 0) };
    }),
  );
  for (let round = 1 - WARM_UP; round <= rounds; round++) {
    for (const { db, visitsFrom, taken } of turns) {
      const figures = await takeRound(db, visitsFrom);
      if (round > 0) taken.push(figures);
    }
    if (round > 0) say(`round ${round} of ${rounds}`);
  }
  return turns.map(({ rows, taken }) => ({
    rows,
    drainMs: taken.map(({ drainMs }) => drainMs),
    visitUs: taken.map(({ visitUs }) => visitUs),
    waitingMs: taken.map(({ waitingMs }) => waitingMs),
  }));
}

interface Round {
  readonly drainMs: number;
  readonly visitUs: number;
  readonly waitingMs: number;
}

/** One turn of one database. */
export async function takeRound(
  db: Database,
  visitsFrom: (first: number, count: number) => VisitRecord[],
): Promise<Round> {
  const enqueueMs: number[] = [];
  for (let i = 0; i < BATCHES; i++) {
    const visits = visitsFrom(i * BATCH, BATCH);
    enqueueMs.push(await timed(() => db.recordArrivals((writer) => recordVisits(writer, db.tables, visits))));
  }
  const lookMs: number[] = [];
  for (let i = 0; i < LOOKS; i++) lookMs.push(await timed(() => waitingRoutes(db, db.dialect)));
  const drainMs = await timed(() => drainBatch(db));
  // What is above a thousand, so that every round begins with nothing due.
  await drainRest(db);
  return { drainMs, visitUs: (median(enqueueMs) / BATCH) * 1_000, waitingMs: median(lookMs) };
}

/** A batch as a dispatcher takes and settles it, without the request in between. @throws Error where it is not whole */
async function drainBatch(db: Database): Promise<void> {
  const settled = await claimAndSettle(db);
  if (settled !== CLAIM) throw new Error(`${settled} events were settled, not ${CLAIM}`);
}

async function drainRest(db: Database): Promise<void> {
  while ((await claimAndSettle(db)) > 0);
}

async function claimAndSettle(db: Database): Promise<number> {
  const leaseId = newId();
  const rows = await claim(db, leaseId, { destination: "meta", route: PIXEL, limit: CLAIM });
  if (rows.length === 0) return 0;
  const settled = await db.transaction((tx) =>
    settle(tx, db, leaseId, rows, { kind: "delivered", fbtraceId: "AbCdEfGhIjKlMnOp", note: null }),
  );
  return settled.length;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
