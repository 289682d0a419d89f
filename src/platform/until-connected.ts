import type { Redis } from "ioredis";

/** Resolves once it is known whether Redis is there: what it is told while a process still connects fails. */
export async function untilConnected(redis: Redis): Promise<void> {
  const isConnecting = redis.status === "connecting" || redis.status === "connect";
  if (!isConnecting) return;
  await new Promise((settled) => redis.once("ready", settled).once("error", settled).once("close", settled));
}
