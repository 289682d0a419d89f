import { expect, spyOn, test } from "bun:test";
import { createThrottle } from "../../src/rollups/throttle.ts";

test("a rest after a long piece of work keeps no process from stopping, and none is begun afterwards", async () => {
  const stopping = new AbortController();
  const throttle = createThrottle(stopping.signal);
  expect(await throttle(async () => "short")).toBe("short");
  const ended = Promise.withResolvers<void>();
  using clock = spyOn(performance, "now");
  clock.mockReturnValueOnce(0).mockReturnValueOnce(3_600_000);
  const resting = throttle(async () => ended.resolve());
  await ended.promise;
  // By now it rests, for four hours.
  await Bun.sleep(1);
  stopping.abort("stopped");
  expect(await resting.catch((reason) => reason)).toBe("stopped");
  let begun = 0;
  expect(await throttle(async () => begun++).catch((reason) => reason)).toBe("stopped");
  expect(begun).toBe(0);
});
