import { expect, spyOn, test } from "bun:test";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";
import { createThrottle } from "../../src/rollups/throttle.ts";

test("a rest after a piece of work keeps no process from stopping, and none is begun afterwards", async () => {
  const stopping = new AbortController();
  const throttle = createThrottle(stopping.signal);
  using sleep = spyOn(Bun, "sleep").mockReturnValue(new Promise(() => {}));
  const resting = throttle(async () => undefined);
  await yieldToEventLoop();
  expect(sleep).toHaveBeenCalledTimes(1);
  stopping.abort("stopped");
  expect(await resting.catch((reason) => reason)).toBe("stopped");
  let begun = 0;
  expect(await throttle(async () => begun++).catch((reason) => reason)).toBe("stopped");
  expect(begun).toBe(0);
});

test("counting takes a fifth of the time, and rests a little after the shortest piece", async () => {
  const throttle = createThrottle(new AbortController().signal);
  using sleep = spyOn(Bun, "sleep").mockImplementation(() => Promise.resolve());
  using clock = spyOn(performance, "now");
  for (const [from, to] of [
    [1_000, 1_100],
    [1_100, 1_100],
  ] as const) {
    clock.mockReturnValueOnce(from).mockReturnValueOnce(to);
    await throttle(async () => undefined);
  }
  expect(sleep.mock.calls).toEqual([[400], [2]]);
});
