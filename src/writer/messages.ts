import type { BrowserReport } from "../cookies/report.ts";
import type { Channel } from "../db/database.ts";
import type { VisitRecord } from "../redirect/visit-record.ts";

/** What is written together, in one transaction. */
export type Batch =
  | { readonly kind: "visits"; readonly visits: readonly VisitRecord[] }
  | { readonly kind: "cookies"; readonly reports: readonly BrowserReport[] };

/** A batch for the writer's thread, as JSON text; or that it should end. */
export type Order = (Batch & { readonly id: number }) | { readonly kind: "stop" };

/** What the writer's thread answers to a batch. */
export interface Answer {
  readonly id: number;
  /** Whom the commit concerns. */
  readonly wakes: readonly Channel[];
  /** Absent where the batch was committed. */
  readonly failure?: Failure;
}

/** An error as it crosses from one thread to another: cloning one would lose its code, and whether it is a bug. */
export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
  readonly isTypeError: boolean;
  readonly cause: Failure | undefined;
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) {
    return { message: String(error), code: undefined, isTypeError: false, cause: undefined };
  }
  return {
    message: error.message,
    code: "code" in error ? String(error.code) : undefined,
    isTypeError: error instanceof TypeError || error instanceof RangeError,
    cause: error.cause instanceof Error ? failureOf(error.cause) : undefined,
  };
}

/** The error again, so that what judges errors (`isRowFault`, `advice`) sees what it would have seen over there. */
export function reviveError({ message, code, isTypeError, cause }: Failure): Error {
  const options = cause && { cause: reviveError(cause) };
  const error = isTypeError ? new TypeError(message, options) : new Error(message, options);
  return code === undefined ? error : Object.assign(error, { code });
}
