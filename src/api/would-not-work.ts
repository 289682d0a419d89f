import type { Issue } from "../platform/parse-input.ts";
import { problem } from "../platform/problem.ts";

/** The answer 422 to a draft or a change that was understood, and would not work. */
export function wouldNotWork(what: "pool" | "bot" | "offer", errors: readonly Issue[]): Response {
  return problem(422, { detail: `The ${what} would not work like this.`, errors });
}
