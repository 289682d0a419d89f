/** What an erasure changed, or would change. All are numbers of rows. */
export interface Erasure {
  readonly dry_run: boolean;
  readonly sessions: number;
  /** Their rows in bots. */
  readonly people: number;
  readonly payments: number;
  readonly outbox: number;
  /** Of those, events and messages that had not gone out, and never will. */
  readonly unsent: number;
  /** Of those, what was bought and has not been handed over: somebody has to do it, or give the money back. */
  readonly undelivered: number;
  /** Answers of Telegram in `outbox_attempts`. */
  readonly answers: number;
  /** Visits on this machine's disk that the database did not have yet. */
  readonly spooled: number;
  /** Copies in Redis; null where it did not answer: they go by themselves, `TRACKING_TTL_DAYS` after the visit. */
  readonly copies: number | null;
}

export const NOTHING: Erasure = {
  dry_run: false,
  sessions: 0,
  people: 0,
  payments: 0,
  outbox: 0,
  unsent: 0,
  undelivered: 0,
  answers: 0,
  spooled: 0,
  copies: 0,
};

type Counts = Omit<Erasure, "dry_run" | "copies">;

/** Both together. */
export function sum(a: Erasure, b: Erasure): Erasure {
  const plus = (key: keyof Counts) => a[key] + b[key];
  return {
    dry_run: a.dry_run,
    sessions: plus("sessions"),
    people: plus("people"),
    payments: plus("payments"),
    outbox: plus("outbox"),
    unsent: plus("unsent"),
    undelivered: plus("undelivered"),
    answers: plus("answers"),
    spooled: plus("spooled"),
    copies: a.copies === null || b.copies === null ? null : a.copies + b.copies,
  };
}

/** Whether anything was there. */
export function isAnything(erasure: Erasure): boolean {
  return Object.values(erasure).some((value) => typeof value === "number" && value > 0);
}
