import type { Destination, HoldState, OutboxStatus } from "../../src/db/vocabulary.ts";

/** Characters that a field of the filter may have. */
export const LONGEST_WORD = 200;

/** The filter's fields as typed; empty where nothing was. */
export interface OutboxFields {
  readonly status: string;
  readonly destination: string;
  readonly pool: string;
  readonly event: string;
  readonly text: string;
  readonly from: string;
  readonly to: string;
}

/** One line of the list of events. */
export interface EventLine {
  readonly id: number;
  readonly created_at: string;
  readonly event_name: string;
  readonly status: OutboxStatus;
  readonly attempts: number;
  readonly pool: string | null;
  readonly destination: Destination;
  readonly route: string;
  readonly last_error: string | null;
}

/** A request that carried an event, and its answer. */
export interface RequestLine {
  readonly started_at: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly code: number | null;
  readonly subcode: number | null;
  readonly events: number;
  readonly duration_ms: number;
  readonly response: unknown;
}

/** One event with what is sent and every request made for it. */
export interface EventFacts extends EventLine {
  readonly event_id: string;
  readonly fbtrace_id: string | null;
  readonly payment_id: string | null;
  readonly tracking_token: string | null;
  readonly available_at: string;
  readonly delivered_at: string | null;
  readonly payload: unknown;
  readonly requests: readonly RequestLine[];
}

/** What can be done with events. */
export type ReplayAction = "retry" | "discard";

/** Where it is asked (GET) and done (POST). */
export const REPLAY_ADDRESS = "/ops/outbox/replay";

/** A change of all that a filter matches: how far it is, or what it came to. */
export type ReplayJob = RunningJob | EndedJob;

interface RunningJob {
  readonly state: "running";
  readonly action: ReplayAction;
  readonly done: number;
  /** What was counted before it began; null where nobody did. */
  readonly total: number | null;
}

export interface EndedJob {
  readonly state: "finished" | "stopped" | "failed";
  readonly action: ReplayAction;
  readonly done: number;
}

/** What holds the route of a waiting event up. */
export interface EventHold {
  readonly state: HoldState;
  readonly paused_at: string | null;
  readonly paused_reason: string | null;
  readonly until: string | null;
  readonly failures: number;
}
