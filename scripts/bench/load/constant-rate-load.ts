import { percentile } from "../statistics.ts";
import { createAnswerReader } from "./answers.ts";
import { clickText } from "./click-text.ts";
import { type LoadResult, loadOrderSchema } from "./constant-rate.ts";
import { dueCount, dueMs } from "./schedule.ts";

/**
 * The constant-rate load as a process: an open loop over keep-alive connections. A request's time counts from when it
 * was due, so that a server which stalls is charged for all that waited meanwhile ("coordinated omission").
 */

/** Shorter than what is measured, and still leaves the core to the server between requests. */
const NAP_MS = 0.05;
/** Answers that are still missing so long after the last request was due are given up. */
const GRACE_MS = 5_000;

interface Connection {
  readonly send: (text: string) => void;
  /** When the request under way was due. */
  startedMs: number;
}

const order = loadOrderSchema.parse(JSON.parse(process.argv[2] ?? ""));
const { hostname, port } = new URL(order.url);
const run = crypto.randomUUID().slice(0, 8);
const total = Math.floor(order.ratePerSecond * order.seconds);

const times = new Float64Array(total);
const lags = new Float64Array(total);
const idle: Connection[] = [];
let answered = 0;
let wrong = 0;
let broken = 0;

async function connect(): Promise<void> {
  const read = createAnswerReader();
  const connection: Connection = { send: (text) => socket.write(text), startedMs: 0 };
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(_socket, piece) {
        const progress = read(piece);
        if (progress.kind === "incomplete") return;
        times[answered++] = performance.now() - connection.startedMs;
        if (progress.status !== 200) wrong++;
        idle.push(connection);
      },
      close() {
        broken++;
      },
    },
  });
  idle.push(connection);
}

await Promise.all(Array.from({ length: order.connections }, connect));
const nap = new Int32Array(new SharedArrayBuffer(4));
const startMs = performance.now() + 10;
let sent = 0;
while (answered < total && broken === 0) {
  const nowMs = performance.now();
  const due = Math.min(total, dueCount(nowMs - startMs, order.ratePerSecond));
  while (sent < due) {
    const connection = idle.pop();
    if (!connection) break;
    connection.startedMs = startMs + dueMs(sent, order.ratePerSecond);
    lags[sent] = performance.now() - connection.startedMs;
    connection.send(clickText(order.path, run, sent));
    sent++;
  }
  if (nowMs - startMs > order.seconds * 1_000 + GRACE_MS) break;
  // Without a free connection too: to spin until an answer comes would take from the server the core it answers on.
  if (sent === due || idle.length === 0) Atomics.wait(nap, 0, 0, NAP_MS);
  await new Promise<void>((resolve) => setImmediate(resolve));
}
const measured = times.subarray(0, answered);
const result: LoadResult = {
  answered,
  unanswered: total - answered,
  wrong,
  p50Ms: percentile(measured, 50),
  p99Ms: percentile(measured, 99),
  maxMs: percentile(measured, 100),
  lagP99Ms: percentile(lags.subarray(0, sent), 99),
};
console.log(JSON.stringify(result));
process.exit(0);
