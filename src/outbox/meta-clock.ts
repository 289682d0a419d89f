import type { GraphAnswer } from "../meta/graph-client.ts";

/**
 * Nearer than this two clocks may agree, for `Date` leaves out a part of a second. Further would forget clocks that differ
 * by a second, and have nearly every batch refused once.
 */
const AGREED_MS = 1_000;

/** Meta's time, as far as it has to be known. */
interface MetaClock {
  /** The latest time that an event may say which was claimed then, by the database's clock. Unix seconds. */
  latestSeconds(claimedAtMs: number): number;
  /**
   * To be told of a refusal of events of which the newest said `newestSeconds`. Answers whether that lay in Meta's future:
   * then the same events are well sent again.
   */
  refused(answer: GraphAnswer, newestSeconds: number): boolean;
  /** To be told that events were taken. */
  taken(answer: GraphAnswer, claimedAtMs: number): void;
}

/**
 * Learns Meta's time from its answers (`Date`), once they show that the database's clock is ahead: Meta refuses events
 * from the future, and a clock that is minutes ahead would kill every one. When the clocks agree again it is forgotten.
 *
 * @param uptimeMs a clock that only runs forward, as `performance.now()`: the other one may be put right
 */
export function createMetaClock(uptimeMs = () => performance.now()): MetaClock {
  /**
   * Meta's time less our uptime; null while the database's clock is good enough. It may be a second too little, never too
   * much: the header leaves out a part of one.
   */
  let offsetMs: number | null = null;
  return {
    latestSeconds(claimedAtMs) {
      const latestMs = offsetMs === null ? claimedAtMs : Math.min(claimedAtMs, offsetMs + uptimeMs());
      return Math.floor(latestMs / 1_000);
    },
    refused(answer, newestSeconds) {
      const metaMs = dateOf(answer);
      if (metaMs === null || newestSeconds * 1_000 <= metaMs) return false;
      offsetMs = metaMs - uptimeMs();
      return true;
    },
    taken(answer, claimedAtMs) {
      const metaMs = dateOf(answer);
      if (metaMs === null || offsetMs === null) return;
      const isAhead = claimedAtMs + answer.durationMs - metaMs > AGREED_MS;
      offsetMs = isAhead ? metaMs - uptimeMs() : null;
    },
  };
}

function dateOf(answer: GraphAnswer): number | null {
  if (answer.kind === "unanswered") return null;
  const ms = Date.parse(answer.headers.date ?? "");
  return Number.isNaN(ms) ? null : ms;
}
