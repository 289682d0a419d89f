import type { Channel } from "../db/database.ts";
import type { Batch } from "./write-batch.ts";

/** A batch for the writer's thread, as JSON text; or that it should end. */
export type Order = (Batch & { readonly id: number }) | { readonly kind: "stop" };

/** What the writer's thread says: that it takes batches from now on, and what became of each. */
export type Answer =
  | { readonly kind: "up" }
  /** Committed; `wakes` are whom that concerns. */
  | { readonly kind: "done"; readonly id: number; readonly wakes: readonly Channel[] }
  | { readonly kind: "failed"; readonly id: number; readonly failure: Failure };

/** An error as it crosses from one thread to another: cloning one would lose its code, and whether it is a bug. */
interface Failure {
  readonly message: string;
  readonly code: string | undefined;
  /** As `isRowFault` tells them: a `TypeError` or a `RangeError`. */
  readonly isBug: boolean;
  readonly cause: Failure | undefined;
}

/** What of an error crosses. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) {
    return { message: String(error), code: undefined, isBug: false, cause: undefined };
  }
  return {
    message: error.message,
    code: "code" in error ? String(error.code) : undefined,
    isBug: error instanceof TypeError || error instanceof RangeError,
    cause: error.cause instanceof Error ? failureOf(error.cause) : undefined,
  };
}

/** The error again, so that what judges errors (`isRowFault`, `advice`) sees what it would have seen over there. */
export function reviveError({ message, code, isBug, cause }: Failure): Error {
  const options = cause && { cause: reviveError(cause) };
  const error = isBug ? new TypeError(message, options) : new Error(message, options);
  return code === undefined ? error : Object.assign(error, { code });
}
