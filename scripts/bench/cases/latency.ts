import { Database as SqliteClient } from "bun:sqlite";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import type { Bench, BenchCase, Figures } from "../case.ts";
import { oneClick } from "../load/clicks.ts";
import { figure } from "../report.ts";
import { takeTurns } from "../rounds.ts";
import { PIXEL, seedPools, seedVisits } from "../seed.ts";
import { freshSqlite, type Place } from "../servers/databases.ts";
import { startPonte, startSandboxProcess } from "../servers/ponte.ts";
import { median, percentile } from "../statistics.ts";

/** Between clicks, so that each finds everything idle. */
const PAUSE_MS = 30;
/** Clicks, one right after the other, as a server has had that is up for a while: the engine has compiled what they run. */
const LIVED_CLICKS = 3_000;
const DEADLINE_MS = 10_000;

export const latencyCase: BenchCase = {
  name: "latency",
  title: "click → delivered when idle (hold 0), p50, SQLite",
  yardstick: "one durable commit and one HTTP round trip to the sandbox, each measured alone",
  unit: "ms",
  bar: { kind: "at-most", ratio: 3 },
  needs: [],
  run: measureLatency,
};

async function measureLatency(bench: Bench): Promise<Figures> {
  const { effort, folder } = bench;
  const place = await freshSqlite(folder);
  await seedPools(place.db);
  // Held for good: it only lends its payload to the round trip that is measured alone.
  await seedVisits(place.db, 1, 86_400_000);
  const payload = await onePayload(place);
  const sandbox = await startSandboxProcess();
  const environment = { PAGEVIEW_HOLD_MS: "0" };
  const ponte = await startPonte({ ...place, graphUrl: sandbox.url, role: "all", environment });
  const watcher = new SqliteClient(join(place.dataDir, "ponte.db"), { readonly: true });
  const all: number[] = [];
  const alone: { commit: number[]; roundTrip: number[] } = { commit: [], roundTrip: [] };
  try {
    if (effort.warmUp) {
      for (let i = 0; i < LIVED_CLICKS; i++) await clickUntilDelivered(ponte.url, watcher);
    }
    const { ours, yardstick } = await takeTurns(bench, {
      async ours() {
        const taken = await times(effort.clicks, () => clickUntilDelivered(ponte.url, watcher));
        all.push(...taken);
        return median(taken);
      },
      async yardstick() {
        const commit = median(await commits(folder, effort.clicks));
        const roundTrip = median(await times(effort.clicks, () => roundTripMs(sandbox.url, payload)));
        alone.commit.push(commit);
        alone.roundTrip.push(roundTrip);
        return commit + roundTrip;
      },
    });
    return {
      ours,
      yardstick,
      beside: [
        { name: "p95 of click → delivered", figure: `${figure(percentile(all, 95))} ms` },
        { name: "the commit alone", figure: `${figure(median(alone.commit))} ms` },
        { name: "the round trip alone", figure: `${figure(median(alone.roundTrip))} ms` },
      ],
    };
  } finally {
    watcher.close();
    await ponte.stop();
    await sandbox.stop();
    await place.db.close();
  }
}

async function times(count: number, measure: () => Promise<number>): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < count; i++) {
    taken.push(await measure());
    await Bun.sleep(PAUSE_MS);
  }
  return taken;
}

/** From the click until another process reads in the database that its PageView is delivered. */
async function clickUntilDelivered(url: string, watcher: SqliteClient): Promise<number> {
  const last =
    watcher.query<{ id: number | null }, []>("select max(id) as id from outbox_progress").get()?.id ?? 0;
  // The newest row alone: a watcher that counts them all takes the processor from who is watched.
  const statement = watcher.query<{ status: string }, [number]>(
    "select status from outbox_progress where id > ?",
  );
  const startedMs = performance.now();
  await oneClick(url);
  const nap = new Int32Array(new SharedArrayBuffer(4));
  while (statement.get(last)?.status !== "delivered") {
    if (performance.now() - startedMs > DEADLINE_MS) throw new Error("a click was not delivered");
    Atomics.wait(nap, 0, 0, 0.05);
  }
  return performance.now() - startedMs;
}

/** One row as big as an event, committed as durably as the product commits, on the same disk. */
async function commits(folder: string, count: number): Promise<number[]> {
  const client = new SqliteClient(join(folder, "commit-alone.db"), { create: true });
  client.run("pragma journal_mode = wal");
  client.run("pragma synchronous = full");
  client.run("create table if not exists rows (id integer primary key, body text not null)");
  const insert = client.query("insert into rows (body) values (?)");
  const body = "x".repeat(2_000);
  const taken = await times(count, async () => {
    const startedMs = performance.now();
    insert.run(body);
    return performance.now() - startedMs;
  });
  insert.finalize();
  client.close();
  return taken;
}

async function onePayload({ db }: Place): Promise<string> {
  const { jsonText } = db.dialect;
  const [row] = await db.rows<{ payload: string }>(
    sql`select ${jsonText(sql`payload`)} as payload from outbox_events limit 1`,
  );
  if (!row) throw new Error("the visit has no event");
  return row.payload;
}

async function roundTripMs(graphUrl: string, payload: string): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(`${graphUrl}/v24.0/${PIXEL}/events`, {
    method: "POST",
    headers: { authorization: "Bearer EAAbench", "content-type": "application/json" },
    body: `{"data":[${payload}]}`,
  });
  await response.text();
  if (!response.ok) throw new Error(`the sandbox answered ${response.status}`);
  return performance.now() - startedMs;
}
