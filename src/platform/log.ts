import pino, { type Logger } from "pino";

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

/** Structured log, one JSON line an entry. `destination` is for tests. */
export function createLog(level: string, destination?: pino.DestinationStream): Log {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
      censor: "[redacted]",
    },
    serializers: { error: pino.stdSerializers.err },
  };
  return destination ? pino(options, destination) : pino(options);
}
