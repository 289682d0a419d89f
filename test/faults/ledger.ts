import { until } from "../support/until.ts";
import type { Outcome } from "./send.ts";

/** A visit that was answered with the bridge page. */
export interface AcknowledgedVisit {
  readonly token: string;
  readonly slug: string;
  readonly fbclid: string;
  readonly campaign: string;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/** A report of a browser that was answered with 204. */
interface AcknowledgedCookies {
  readonly token: string;
  readonly fbp: string;
}

/** A payment whose webhook was answered with 200. */
export interface AcknowledgedPayment {
  readonly id: string;
  readonly token: string;
  readonly amountMinor: number;
  /** The first webhook of it, and the one that was acknowledged. */
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

export type Request = "visit" | "cookies" | "payment";

/** What clients were promised, and what they were refused. */
export interface Ledger {
  readonly visits: AcknowledgedVisit[];
  readonly cookies: AcknowledgedCookies[];
  readonly payments: AcknowledgedPayment[];
  /** Requests answered with an honest 503. */
  readonly refused: Record<Request, number>;
  /** Requests that ended without any answer. */
  readonly unanswered: Record<Request, number>;
  /** Answers that no client should ever see. */
  readonly wrong: string[];
  /** For the report only: the machine's load decides it too. */
  slowestVisitMs: number;
}

export function newLedger(): Ledger {
  const none = () => ({ visit: 0, cookies: 0, payment: 0 });
  return {
    visits: [],
    cookies: [],
    payments: [],
    refused: none(),
    unanswered: none(),
    wrong: [],
    slowestVisitMs: 0,
  };
}

/** Resolves when so many more visits were answered with the page. */
export async function untilMoreVisits({ visits }: Ledger, n: number): Promise<void> {
  const wanted = visits.length + n;
  await until(() => visits.length >= wanted);
}

/** Counts how a request ended; its answer, or null where there was none that says anything. */
export function tally(ledger: Ledger, request: Request, outcome: Outcome) {
  switch (outcome.kind) {
    case "answered":
      return outcome;
    case "refused":
      ledger.refused[request]++;
      return null;
    case "unanswered":
      ledger.unanswered[request]++;
      return null;
  }
}

/** Moves everything that was promised into the past. */
export function ageLedger({ visits, payments }: Ledger, ms: number): void {
  const older = <T extends AcknowledgedVisit | AcknowledgedPayment>(promise: T): T => ({
    ...promise,
    sentAtMs: promise.sentAtMs - ms,
    answeredAtMs: promise.answeredAtMs - ms,
  });
  visits.splice(0, visits.length, ...visits.map(older));
  payments.splice(0, payments.length, ...payments.map(older));
}
