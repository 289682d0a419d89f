import { z } from "zod";
import { startTalker } from "../servers/child.ts";

export const loadOrderSchema = z.object({
  url: z.string(),
  path: z.string(),
  ratePerSecond: z.number().positive(),
  seconds: z.number().positive(),
  connections: z.number().int().positive(),
});

/** What load is asked for. */
type LoadOrder = z.output<typeof loadOrderSchema>;

const resultSchema = z.object({
  answered: z.number(),
  unanswered: z.number(),
  /** Answers that were no 200. */
  wrong: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
  /** How late requests left at most, for 99 of 100: what the generator itself, or a lack of idle connections, adds. */
  lagP99Ms: z.number(),
});

export type LoadResult = z.output<typeof resultSchema>;

/**
 * Sends clicks at a constant rate from a process of its own.
 *
 * @throws Error where an answer is missing or was no page
 */
export async function runConstantRate(order: LoadOrder): Promise<LoadResult> {
  const child = startTalker(["bun", `${import.meta.dir}/constant-rate-load.ts`, JSON.stringify(order)]);
  const result = resultSchema.parse(JSON.parse(await child.line()));
  await child.stop();
  if (result.unanswered > 0 || result.wrong > 0) {
    throw new Error(
      `of ${result.answered + result.unanswered} clicks, ${result.unanswered} were not answered and ${result.wrong} answered with no page`,
    );
  }
  return result;
}
