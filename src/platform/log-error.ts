import pino from "pino";
import { causesOf, isFailedStatement } from "./errors.ts";

/**
 * Where database drivers put the values of a statement, or a whole row, and `URL` what it could not read: they belong to
 * people, not into a log.
 */
const VALUE_KEYS: ReadonlySet<string> = new Set(["params", "parameters", "args", "detail", "raw", "input"]);

/**
 * An error as the log shows it: kind, message, stack, codes, and of a failed statement its text, never its values.
 * What is no error passes as it is.
 */
export function loggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const errors = causesOf(error);
  const whole = {
    ...pino.stdSerializers.err(error),
    message: errors.map(messageOf).join(": "),
    stack: errors.map(stackOf).join("\ncaused by: "),
  };
  const shown = Object.entries(whole).filter(([key]) => !VALUE_KEYS.has(key));
  const statements = errors.filter(isFailedStatement);
  const clean = (text: string) =>
    statements.reduce((kept, { message, query }) => kept.replaceAll(message, `Failed query: ${query}`), text);
  return Object.fromEntries(
    shown.map(([key, value]) => [key, typeof value === "string" ? clean(value) : value]),
  );
}

const messageOf = ({ message }: Error) => String(message ?? "");

/** A failed look-up of a name has no stack, to which the Postgres driver adds its own: `undefined` and some lines. */
function stackOf(error: Error): string {
  const stack = String(error.stack ?? "undefined");
  return stack.replace(/^undefined/, () => `${error.name}: ${messageOf(error)}`);
}
