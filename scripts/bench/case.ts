import type { Bar } from "./statistics.ts";

/** How much is measured. */
export interface Effort {
  readonly rounds: number;
  /** Seconds of load in a round, for each side. */
  readonly seconds: number;
  readonly warmUp: boolean;
  /** Events in a drained outbox, and jobs in a peer's queue. */
  readonly events: number;
  /** Sessions in the big tables, and in the small ones that these are held against. */
  readonly sessions: number;
  readonly smallSessions: number;
  /** When the memory is read: first after a tenth of this, then at its end. */
  readonly memorySeconds: number;
  /** Clicks a round, one after the other. */
  readonly clicks: number;
}

/** What a case works with. */
export interface Bench {
  readonly effort: Effort;
  /** A folder of the case's own, on a real disk; removed afterwards. */
  readonly folder: string;
  /** The URL of a database of the case's own on a temporary Postgres with its default, durable settings. */
  postgres(): Promise<string>;
  /** Says how far the case is. */
  say(line: string): void;
}

/** What a case found: one figure a round and side. */
export interface Figures {
  readonly ours: readonly number[];
  readonly yardstick: readonly number[];
  /** What else was measured beside it: other peers, and figures that explain this one. */
  readonly beside?: readonly { readonly name: string; readonly figure: string }[];
}

/** One row of the table. */
export interface BenchCase {
  readonly name: string;
  /** What is measured. */
  readonly title: string;
  /** What it is held against. */
  readonly yardstick: string;
  readonly unit: string;
  readonly bar: Bar;
  /** A limit on the figure itself, besides the ratio. */
  readonly limit?: { readonly atMost: number };
  readonly needs: readonly Need[];
  run(bench: Bench): Promise<Figures>;
}

/** What must be there before a case can run. */
export type Need = "wrk" | "postgres" | "peers";
