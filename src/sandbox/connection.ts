import { setTimeout as delay } from "node:timers/promises";

/**
 * A response that makes `Bun.serve` break the TCP connection (RST) before a byte is written: the body's stream
 * fails at once. Without a reason (`error(undefined)`) Bun prints nothing. A client sees ECONNRESET.
 */
export function resetConnection(): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.error() }));
}

/** Waits without keeping a stopped process alive. */
export async function pause(ms: number): Promise<void> {
  await delay(ms, undefined, { ref: false });
}
