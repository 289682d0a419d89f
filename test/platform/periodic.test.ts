import { expect, test } from "bun:test";
import { createLog } from "../../src/platform/log.ts";
import { periodic } from "../../src/platform/periodic.ts";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";
import { until } from "../support/until.ts";

const NEVER = "0 0 0 29 2 *";
const EVERY_SECOND = "* * * * * *";
const says = { failed: "away", worked: "back" };

function record() {
  const lines: { msg: string; todo?: string }[] = [];
  const log = createLog("info", { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { lines, deps: { log, db: { advice: () => "plug it in" } } };
}

test("whoever asks for a run while one is under way waits for that one", async () => {
  let runs = 0;
  const work = periodic(record().deps, { schedule: NEVER, ...says }, async () => ++runs);
  expect(await Promise.all([work.run(), work.run()])).toEqual([1, 1]);
  expect(await work.run()).toBe(2);
});

test("a turn that fails is logged with what to do, and the next one is taken all the same", async () => {
  const { lines, deps } = record();
  let runs = 0;
  const work = periodic(deps, { schedule: EVERY_SECOND, ...says }, async () => {
    if (++runs === 1) throw new Error("no");
  });
  work.start();
  await until(() => runs > 1);
  await work.stop();
  const runsUntilStop = runs;
  // Longer than to the next turn.
  await Bun.sleep(1_100);
  expect(runs).toBe(runsUntilStop);
  expect(lines).toMatchObject([{ msg: "away", todo: "plug it in" }, { msg: "back" }]);
  await expect(
    periodic(deps, { schedule: NEVER, ...says }, () => Promise.reject(new Error("no"))).run(),
  ).rejects.toThrow("no");
});

test("a stop waits for the run under way, which may end by the signal without a word in the log", async () => {
  const { lines, deps } = record();
  let hasEnded = false;
  let wasTold = false;
  const work = periodic(deps, { schedule: NEVER, ...says }, async (signal) => {
    await yieldToEventLoop();
    hasEnded = true;
    wasTold = signal.aborted;
    signal.throwIfAborted();
  });
  work.start();
  await work.stop();
  expect([hasEnded, wasTold]).toEqual([true, true]);
  expect(lines).toEqual([]);
});

test("a first run that is put off is not done any more after a stop", async () => {
  let runs = 0;
  const work = periodic(record().deps, { schedule: NEVER, ...says }, async () => void runs++);
  work.start(10);
  await work.stop();
  // Timers end in their order: by then the run's own would have.
  await Bun.sleep(30);
  expect(runs).toBe(0);
});
