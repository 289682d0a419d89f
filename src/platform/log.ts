import pino, { type Logger } from "pino";
import { loggedError } from "./log-error.ts";
import { REDACTED } from "./redact-secret.ts";
import { currentRequestId } from "./request-id.ts";
import { createScrubber } from "./scrub.ts";

export type Log = Logger;

/** Names under which secrets travel; their values never reach a log line, at any depth that we log. */
const SECRET_KEYS = [
  "access_token",
  "accessToken",
  "metaAccessToken",
  "authorization",
  "cookie",
  "password",
  "secret",
  "token",
  "apiKey",
  "webhookSecret",
];

/**
 * Structured log, one JSON line an entry; what a request's code logs carries its `request_id`. `secrets` are values
 * that must never show, wherever they come from; `destination` is for tests.
 */
export function createLog(
  level: string,
  destination?: pino.DestinationStream,
  secrets: readonly string[] = [],
): Log {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
      censor: REDACTED,
    },
    serializers: { error: loggedError },
    mixin() {
      const requestId = currentRequestId();
      return requestId === undefined ? {} : { request_id: requestId };
    },
    hooks: { streamWrite: createScrubber(secrets) },
  };
  return withoutStackTraces(() => pino(options, destination ?? standardOutput()));
}

/** So much waits for a reader that stands still, or for room on a full disk; what comes after it is dropped. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024;
/** How long a flush waits for that reader: one who comes late misses the last lines, but a stop ends. */
const LAST_LINES_MS = 1_000;

/**
 * Lines are written by another thread, so that a reader who is slow holds up nobody: all but what is fatal, which may be
 * the only place that keeps a visit, and is written before the visitor is answered. So it may stand before lines that
 * came earlier, and in the midst of one where a pipe is full. Others that are on their way when the process exits may be
 * cut off.
 */
function standardOutput(): pino.DestinationStream {
  // By its number: to ask the runtime for the stream takes several milliseconds of every start.
  const target = { dest: 1, maxLength: MOST_WAITING_BYTES };
  const lines = pino.destination({ ...target, sync: false });
  const fatal = pino.destination({ ...target, sync: true });
  let isFatalWaiting = false;
  for (const stream of [lines, fatal]) {
    // An error that nobody listens for ends the process; on a full disk the lines wait for room instead.
    stream.on("error", () => {
      isFatalWaiting ||= stream === fatal;
    });
    // Thrown at the exit, where pino flushes, it would end the process with another code.
    const flush = stream.flushSync.bind(stream);
    stream.flushSync = () => {
      try {
        flush();
      } catch (error) {
        stream.emit("error", error);
      }
    };
  }
  lines.on("write", () => {
    if (!isFatalWaiting) return;
    isFatalWaiting = false;
    fatal.flushSync();
  });
  const both = pino.multistream(
    [
      { level: "trace", stream: lines },
      { level: "fatal", stream: fatal },
    ],
    { dedupe: true },
  );
  return Object.assign(both, { flush: (done: () => void) => writeOut(lines, done) });
}

/** What a reader has not taken in time is given up: pino writes it at the exit, and that waits for the reader for ever. */
function writeOut(lines: ReturnType<typeof pino.destination>, done: () => void): void {
  const giveUp = setTimeout(() => {
    lines.destroy();
    done();
  }, LAST_LINES_MS);
  lines.once("drain", () => {
    clearTimeout(giveUp);
    done();
  });
  // Comes after all others, and says by that when nothing is left.
  lines.write("");
}

/** Pino takes a stack trace to see who called it; nobody needs that, and a process's first one costs ten milliseconds. */
function withoutStackTraces<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
