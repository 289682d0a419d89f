import type { Database } from "../../../src/db/database.ts";
import { claim, settle } from "../../../src/outbox/lease.ts";
import { waitingRoutes } from "../../../src/outbox/waiting-routes.ts";
import { newId } from "../../../src/platform/ids.ts";
import { recordVisits } from "../../../src/redirect/record-visits.ts";
import { PIXEL, visitMaker } from "../../bench/seed.ts";
import type { Costs } from "./table.ts";

const BATCH = 64;
/** So many batches of visits a round are just above what one claim takes. */
const BATCHES = 16;
const CLAIM = 1_000;
/** Their figures are not counted: connections, statements and caches become warm. */
const WARM_UP = 2;
const LOOKS = 10;

/** Records visits, looks for waiting routes, and drains what was recorded, in rounds; each by the server's own code. */
export async function measure(
  db: Database,
  { rows, rounds }: { readonly rows: number; readonly rounds: number },
): Promise<Costs> {
  const visitsFrom = await visitMaker(db, 0);
  const drainMs: number[] = [];
  const visitUs: number[] = [];
  const waitingMs: number[] = [];
  for (let round = -WARM_UP; round < rounds; round++) {
    const enqueueMs: number[] = [];
    for (let i = 0; i < BATCHES; i++) {
      const visits = visitsFrom(i * BATCH, BATCH);
      enqueueMs.push(
        await timed(() => db.recordArrivals((writer) => recordVisits(writer, db.tables, visits))),
      );
    }
    const lookMs: number[] = [];
    for (let i = 0; i < LOOKS; i++) lookMs.push(await timed(() => waitingRoutes(db, db.dialect)));
    const drainedMs = await timed(() => drainBatch(db));
    // What is above a thousand, so that every round begins with nothing due.
    await drainRest(db);
    if (round < 0) continue;
    visitUs.push((mean(enqueueMs) / BATCH) * 1_000);
    waitingMs.push(mean(lookMs));
    drainMs.push(drainedMs);
  }
  return { rows, drainMs, visitUs, waitingMs };
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

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
