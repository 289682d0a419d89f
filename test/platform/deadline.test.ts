import { expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { unlessAborted, withDeadline } from "../../src/platform/deadline.ts";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";

test("work is waited for until the signal, be it given before or meanwhile, and what it fails with later harms nobody", async () => {
  for (const isLate of [false, true]) {
    const stopping = new AbortController();
    const work = Promise.withResolvers<never>();
    if (!isLate) stopping.abort("stopped");
    const waiting = unlessAborted(work.promise, stopping.signal);
    if (isLate) stopping.abort("stopped");
    expect(await waiting.catch((reason) => reason)).toBe("stopped");
    // Unheard, it would end the process.
    work.reject(new Error("too late"));
    await yieldToEventLoop();
  }
  const stopped = AbortSignal.abort("stopped");
  expect(await unlessAborted(Promise.resolve(1), stopped).catch((reason) => reason)).toBe("stopped");
});

test("nothing is left behind at a signal that lives as long as the process", async () => {
  const { signal } = new AbortController();
  await unlessAborted(Promise.resolve(1), signal);
  await unlessAborted(Promise.reject(new Error("refused")), signal).catch(() => undefined);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("work that ends in time is answered as it ended, and what does not is called by its name", async () => {
  expect(await unlessAborted(Promise.resolve(1), new AbortController().signal)).toBe(1);
  expect(await withDeadline(Promise.resolve(1), 1)).toBe(1);
  await expect(withDeadline(Promise.reject(new Error("refused")), 1)).rejects.toThrow("refused");
  await expect(withDeadline(new Promise(() => {}), 1, "Telegram")).rejects.toThrow(
    "Telegram did not answer within 1 ms",
  );
});
