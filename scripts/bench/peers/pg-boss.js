// Drains no-op jobs with pg-boss, fetching and completing them by the thousand.
// Usage: pg-boss.js DATABASE_URL JOBS; prints {"jobs":…,"ms":…}.
// JavaScript, and outside the type check: its packages are installed only when a case asks for them.
import { PgBoss } from "pg-boss";

const [connectionString, count] = process.argv.slice(2);
const jobs = Number(count);
const QUEUE = "noop";
const BATCH = 1_000;
/** Measured: a second one is worth a third more, further ones nothing. */
const FETCHERS = 2;

const boss = new PgBoss({ connectionString, supervise: false, schedule: false });
boss.on("error", (error) => console.error(error));
await boss.start();
await boss.createQueue(QUEUE);
for (let i = 0; i < jobs; i += 5_000) {
  const size = Math.min(5_000, jobs - i);
  await boss.insert(
    QUEUE,
    Array.from({ length: size }, (_, j) => ({ data: { id: i + j } })),
  );
}

async function fetcher() {
  let done = 0;
  for (;;) {
    const batch = await boss.fetch(QUEUE, { batchSize: BATCH });
    if (batch.length === 0) return done;
    await boss.complete(
      QUEUE,
      batch.map(({ id }) => id),
    );
    done += batch.length;
  }
}

const startedMs = performance.now();
const done = await Promise.all(Array.from({ length: FETCHERS }, fetcher));
const ms = performance.now() - startedMs;
const completed = done.reduce((sum, n) => sum + n, 0);
if (completed !== jobs) throw new Error(`${completed} of ${jobs} jobs were completed`);
console.log(JSON.stringify({ jobs, ms }));
await boss.stop({ graceful: false });
process.exit(0);
