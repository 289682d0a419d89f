import type { Log } from "./log.ts";

const EVERY_MS = 60_000;

/** What the log hears of something that is tried again and again. */
interface Outage {
  /** Said the first time, and then once a minute. */
  failed(facts: object): void;
  /** Said once, where it had failed before. */
  worked(): void;
  /** Whether it failed the last time. */
  readonly isOn: boolean;
}

/** What the log says when something begins to fail, and when it works again. */
export interface Says {
  readonly failed: string;
  readonly worked: string;
}

/** Says that something fails at most once a minute, and once that it works again. */
export function createOutage(log: Log, says: Says, nowMs: () => number = () => performance.now()): Outage {
  let saidAtMs: number | null = null;
  return {
    failed(facts) {
      if (saidAtMs !== null && nowMs() - saidAtMs < EVERY_MS) return;
      saidAtMs = nowMs();
      log.warn(facts, says.failed);
    },
    worked() {
      if (saidAtMs !== null) log.info(says.worked);
      saidAtMs = null;
    },
    get isOn() {
      return saidAtMs !== null;
    },
  };
}
