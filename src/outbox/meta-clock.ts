import type { GraphAnswer } from "../meta/graph-client.ts";
import { DAY_MS } from "../platform/durations.ts";

/**
 * Nearer than this two clocks may agree, for `Date` leaves out a part of a second. Further would forget clocks that differ
 * by a second, and have nearly every batch refused once.
 */
const AGREED_MS = 1_000;

/** What was learnt within so much of a time that turned out to be wrong is wrong too. */
const SAME_MISTAKE_MS = DAY_MS;

/** Meta's time, as far as it has to be known. */
interface MetaClock {
  /** The latest time that an event may say which was claimed then, by the database's clock. Unix seconds. */
  latestSeconds(claimedAtMs: number): number;
  /**
   * To be told of a refusal of events of which the newest said `newestSeconds`. Answers whether that lay in Meta's future:
   * then the same events are well sent again.
   */
  refused(answer: GraphAnswer, newestSeconds: number): boolean;
  /**
   * To be told that events were refused as too old which only said an earlier time because of this. Answers whether they
   * are well sent again: what was learnt is forgotten, for a proxy on a machine whose clock is behind writes its own `Date`.
   */
  misled(): boolean;
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
  /** One that was wrong. */
  let wrongMs: number | null = null;
  return {
    latestSeconds(claimedAtMs) {
      const latestMs = offsetMs === null ? claimedAtMs : Math.min(claimedAtMs, offsetMs + uptimeMs());
      return Math.floor(latestMs / 1_000);
    },
    refused(answer, newestSeconds) {
      const metaMs = dateOf(answer);
      if (metaMs === null || newestSeconds * 1_000 <= metaMs) return false;
      const learntMs = metaMs - uptimeMs();
      if (wrongMs !== null && Math.abs(learntMs - wrongMs) < SAME_MISTAKE_MS) return false;
      offsetMs = learntMs;
      return true;
    },
    misled() {
      if (offsetMs === null) return false;
      wrongMs = offsetMs;
      offsetMs = null;
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
