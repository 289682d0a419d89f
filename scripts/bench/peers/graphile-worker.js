// Drains no-op jobs with graphile-worker, set up as its own performance test is: a local queue, completions in batches.
// Usage: graphile-worker.js DATABASE_URL JOBS; prints {"jobs":…,"ms":…}.
// JavaScript, and outside the type check: its packages are installed only when a case asks for them.
import { EventEmitter } from "node:events";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { Client } from "pg";

const [connectionString, count] = process.argv.slice(2);
const jobs = Number(count);
const logger = new Logger(() => () => undefined);

const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();
await utils.release();

const client = new Client({ connectionString });
await client.connect();
await client.query(
  `select count(*) from graphile_worker.add_jobs(array(
     select json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'noop', 'payload', json_build_object('id', i)))
     from generate_series(1, $1::int) i))`,
  [jobs],
);
await client.query("vacuum analyze graphile_worker._private_jobs");

const events = new EventEmitter();
let startedMs = 0;
let done = 0;
events.on("job:start", () => {
  startedMs ||= performance.now();
});
const allDone = new Promise((resolve) => {
  events.on("job:success", () => {
    if (++done === jobs) resolve();
  });
});

const runner = await run({
  taskList: { noop: () => undefined },
  events,
  preset: {
    worker: {
      connectionString,
      logger,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
});
await allDone;
// Completions wait in memory until now: like a delivered event, a job is through when the database says so.
await runner.stop();
const endedMs = performance.now();
const { rows } = await client.query("select count(*)::int as left from graphile_worker._private_jobs");
await client.end();
if (rows[0].left !== 0) throw new Error(`${rows[0].left} jobs were left`);
console.log(JSON.stringify({ jobs, ms: endedMs - startedMs }));
process.exit(0);
