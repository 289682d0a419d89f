import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../db/database.ts";
import { migrationPlan, newestMigration } from "../db/migration-plan.ts";
import type { Spool } from "../db/spool/spool.ts";
import { ALIVE_MS, lastSignMs } from "../outbox/heartbeat.ts";
import { withDeadline } from "../platform/deadline.ts";

const TIMEOUT_MS = 2_000;

/** What one check found. `detail` is for anybody who asks, so it names no host, user or error of the database. */
const check = z.strictObject({ ok: z.boolean(), detail: z.string() });
type Check = z.output<typeof check>;

export const readinessSchema = z.strictObject({
  ready: z.boolean(),
  checks: z.strictObject({
    database: check,
    migrations: check,
    dispatcher: check.extend({ heartbeat_age_seconds: z.number().nullable() }),
    spool: check.extend({ waiting: z.int(), set_aside: z.int() }),
  }),
});
export type Readiness = z.output<typeof readinessSchema>;

/**
 * Asks whether all of Ponte works: the database answers and is as new as this process, and somebody sends what waits.
 * The answer never throws.
 */
export function createReadiness({ db, spool }: { db: Database; spool: Spool }): () => Promise<Readiness> {
  // Read once: what lies on the disk later is another version's.
  const { latest } = migrationPlan(db.dialect.name);
  return async () => {
    const [database, migrations, dispatcher] = await Promise.all([
      checkDatabase(db),
      checkMigrations(db, latest),
      checkDispatcher(db),
    ]);
    const checks = { database, migrations, dispatcher, spool: checkSpool(spool) };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  };
}

async function checkDatabase(db: Database): Promise<Check> {
  try {
    await withDeadline(db.rows(sql`select 1 as one`), TIMEOUT_MS);
    return { ok: true, detail: "answers" };
  } catch {
    return { ok: false, detail: "does not answer; visits are kept on this machine's disk until it does" };
  }
}

async function checkMigrations(db: Database, latest: number): Promise<Check> {
  try {
    const newest = await withDeadline(newestMigration(db), TIMEOUT_MS);
    if (newest === latest) return { ok: true, detail: "all applied" };
    const detail =
      newest < latest
        ? "the database is older than this version; run: bun run ponte migrate"
        : "the database is of a newer version; run that one";
    return { ok: false, detail };
  } catch {
    return { ok: false, detail: "cannot be read; run: bun run ponte doctor" };
  }
}

async function checkDispatcher(db: Database): Promise<Readiness["checks"]["dispatcher"]> {
  try {
    const ageMs = await withDeadline(lastSignMs(db), TIMEOUT_MS);
    if (ageMs === null) return { ok: false, detail: "none runs: events wait", heartbeat_age_seconds: null };
    const isFresh = ageMs <= ALIVE_MS;
    return {
      ok: isFresh,
      detail: isFresh ? "runs" : "the last one gave no sign of life for too long: events wait",
      heartbeat_age_seconds: Math.round(ageMs) / 1000,
    };
  } catch {
    return { ok: false, detail: "cannot be seen", heartbeat_age_seconds: null };
  }
}

/** Visits on the disk are safe and go in by themselves; what was set aside needs a person, and harms nobody meanwhile. */
function checkSpool(spool: Spool): Readiness["checks"]["spool"] {
  try {
    const { waiting, setAside } = spool.counts();
    const detail =
      waiting + setAside === 0
        ? "empty"
        : `visits that wait for the database: ${waiting}; set aside for a person: ${setAside}`;
    return { ok: true, detail, waiting, set_aside: setAside };
  } catch {
    return {
      ok: false,
      detail: "cannot be read; see to the data folder's disk, then restart: a damaged file is moved aside",
      waiting: 0,
      set_aside: 0,
    };
  }
}
