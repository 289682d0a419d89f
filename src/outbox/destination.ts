import type { Destination } from "../db/vocabulary.ts";

/** An outbox row that this dispatcher holds the lease of. */
export interface ClaimedRow {
  readonly id: number;
  readonly eventName: string;
  readonly eventId: string;
  /** The JSON text as it was committed. */
  readonly payload: string;
  /** Which attempt this is: 1 for the first. */
  readonly attempts: number;
  readonly createdAtMs: number;
  /** The database's time when the row was claimed: the one clock to measure ages by. */
  readonly claimedAtMs: number;
  readonly poolId: number | null;
  readonly trackingToken: string | null;
  readonly paymentId: string | null;
}

/** What a feature does something about when a row ends: a person who cannot be written to, a sale that nobody can pay. */
export type FinalCause = "unreachable" | "unpayable";

/** What a request for some rows came to. */
export type Verdict =
  /** `pauseMs`: the other side asks to slow down before the route's next request. */
  | { readonly kind: "delivered"; readonly note: string | null; readonly pauseMs: number | null }
  /** Some of the rows arrived, nobody knows which: all are sent apart until each of them did. */
  | { readonly kind: "partial"; readonly reason: string; readonly pauseMs: number | null }
  /** Try again with back-off, and not before `afterMs` where given. */
  | { readonly kind: "transient"; readonly reason: string; readonly afterMs: number | null }
  /** The pixel or bot has to slow down, or these rows alone have; the attempt does not count. */
  | {
      readonly kind: "throttled";
      readonly whose: "account" | "rows";
      readonly reason: string;
      readonly afterMs: number | null;
    }
  /** Nobody was asked, for the rows must not go before `afterMs`. The attempt does not count. */
  | { readonly kind: "early"; readonly reason: string; readonly afterMs: number }
  /** What was refused is known better since, such as a newer credential: send again with that. The attempt does not count. */
  | { readonly kind: "outdated"; readonly reason: string }
  /** The route waits for an operator; the attempt does not count. */
  | { readonly kind: "credential"; readonly reason: string }
  /** At least one of the rows can never be delivered: which one shows when they are sent apart. */
  | {
      readonly kind: "invalid";
      readonly reason: string;
      readonly as: "dead" | "expired" | "discarded";
      readonly because?: FinalCause;
      /** Places in the batch of rows that look bad; they are tried apart from the others first. */
      readonly suspects?: readonly number[];
      /** Nothing in the rows explains the refusal. Many such in a row are the route's fault, not the rows'. */
      readonly isUnexplained?: boolean;
    };

/** A request's answer as the operator will read it. Holds no secret. */
export interface Answer {
  /** HTTP status; null where no answer came. */
  readonly status: number | null;
  readonly code: number | null;
  readonly subcode: number | null;
  readonly fbtraceId: string | null;
  readonly durationMs: number;
  readonly response: string;
}

/** What became of sending rows. */
export interface Sent {
  readonly verdict: Verdict;
  /** Null where no request was made. */
  readonly answer: Answer | null;
}

/** Where rows go, and how. */
export interface DestinationAdapter {
  /** Most rows in one request. */
  readonly maxBatch: number;
  /** Whether a row has become too old to be sent; it then ends as `expired`. */
  isExpired(row: ClaimedRow, now: Date): boolean;
  /**
   * Sends rows of one route in one request. Never throws for what the other side does. An aborted `signal` means that
   * the process stops: the rows are then given back whatever the verdict, unless it is `delivered`.
   */
  send(route: string, rows: readonly ClaimedRow[], signal: AbortSignal): Promise<Sent>;
}

/** The destinations that this process can send to. */
export type Adapters = Readonly<Partial<Record<Destination, DestinationAdapter>>>;
