import { backOffMs, throttleRestMs } from "./back-off.ts";
import type { RouteChange } from "./change-route.ts";
import type { Sent } from "./destination.ts";
import type { Reply } from "./isolate.ts";
import type { Settlement } from "./settle.ts";

/** So many refusals in a row that nothing in the events explains are the route's fault: no more events die of it. */
const MOST_UNEXPLAINED = 20;

/** What a request does to its rows, to its route, and to the search for bad rows. */
export interface Consequences {
  /** Null: the rows are to be sent apart first. */
  readonly settlement: Settlement | null;
  readonly change: RouteChange | null;
  readonly reply: Reply;
}

/** What else decides: how the route stood, and how the process does. */
interface Circumstances {
  /** Rows in the request. */
  readonly events: number;
  /** Answers of the route in a row, before this one, that asked to slow down. */
  readonly throttles: number;
  /** Refusals of the route in a row that nothing explained. */
  readonly unexplained: number;
  /** The process stops and gave the request up. */
  readonly isStopping: boolean;
  /** Uniform in [0, 1). */
  readonly random: number;
}

/** Decides what follows from a request. Pure. */
export function consequencesOf({ verdict, answer }: Sent, circumstances: Circumstances): Consequences {
  const { events, isStopping, random } = circumstances;
  const fbtraceId = answer?.fbtraceId ?? null;
  if (isStopping && verdict.kind !== "delivered") {
    // Whatever the other side did with it: the same event_id makes sending again harmless.
    return {
      settlement: { kind: "released", afterMs: null, reason: null },
      change: { kind: "unknown" },
      reply: { kind: "stop" },
    };
  }
  switch (verdict.kind) {
    case "delivered":
      return {
        settlement: { kind: "delivered", fbtraceId, note: verdict.note },
        change: { kind: "healthy", pauseMs: verdict.pauseMs, unexplained: "none" },
        reply: { kind: "delivered" },
      };
    case "partial":
      return {
        settlement: null,
        change: { kind: "healthy", pauseMs: verdict.pauseMs, unexplained: "same" },
        reply: { kind: "refused", suspects: [] },
      };
    case "transient": {
      const afterMs = (attempts: number) => Math.max(verdict.afterMs ?? 0, backOffMs(attempts, random));
      return {
        settlement: { kind: "retry", afterMs, fbtraceId, reason: verdict.reason },
        change: { kind: "failed" },
        reply: { kind: "stop" },
      };
    }
    case "throttled": {
      const forMs = throttleRestMs(circumstances.throttles + 1, verdict.afterMs);
      return {
        settlement: { kind: "released", afterMs: forMs, reason: verdict.reason },
        change: { kind: "throttled", forMs: verdict.whose === "account" ? forMs : null },
        reply: { kind: "stop" },
      };
    }
    case "early":
      return {
        settlement: { kind: "released", afterMs: verdict.afterMs, reason: verdict.reason },
        change: { kind: "unknown" },
        reply: { kind: "stop" },
      };
    case "outdated":
      return {
        settlement: { kind: "released", afterMs: null, reason: verdict.reason },
        change: { kind: "unknown" },
        reply: { kind: "stop" },
      };
    case "credential":
      return pause(verdict.reason);
    case "invalid": {
      const refused: Reply = { kind: "refused", suspects: verdict.suspects ?? [] };
      if (events > 1) return { settlement: null, change: null, reply: refused };
      if (verdict.isUnexplained && circumstances.unexplained + 1 >= MOST_UNEXPLAINED) {
        return pause(
          `${MOST_UNEXPLAINED} events in a row were refused though nothing looks wrong with them; the last time: ${verdict.reason}. Find the cause, resume the route, and retry what is dead.`,
        );
      }
      return {
        settlement: { kind: verdict.as, fbtraceId, reason: verdict.reason, because: verdict.because },
        change: { kind: "healthy", pauseMs: null, unexplained: verdict.isUnexplained ? "more" : "same" },
        reply: refused,
      };
    }
  }
}

function pause(reason: string): Consequences {
  return {
    settlement: { kind: "released", afterMs: null, reason },
    change: { kind: "paused", reason, by: "refusal" },
    reply: { kind: "stop" },
  };
}
