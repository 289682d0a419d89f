import type { Need } from "./case.ts";

/** What is missing for a case, in words that say how to get it; null where all is there. */
export function whatIsMissing(needs: readonly Need[], find = Bun.which): string | null {
  if (needs.includes("wrk") && find("wrk") === null) {
    return "wrk is missing, which makes the load. Install it: apt-get install wrk";
  }
  return null;
}
