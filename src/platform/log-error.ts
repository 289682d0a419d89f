import pino from "pino";

/** Where database drivers put the values of a statement, or a whole row: they belong to people, not into a log. */
const VALUE_KEYS: ReadonlySet<string> = new Set(["params", "parameters", "args", "detail", "raw"]);

/**
 * An error as the log shows it: kind, message, stack, codes, and of a failed statement its text, never its values.
 * What is no error passes as it is.
 */
export function loggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const shown = Object.entries(pino.stdSerializers.err(error)).filter(([key]) => !VALUE_KEYS.has(key));
  const statements = failedStatements(error);
  const clean = (text: string) =>
    statements.reduce((kept, { message, query }) => kept.replaceAll(message, `Failed query: ${query}`), text);
  return Object.fromEntries(
    shown.map(([key, value]) => [key, typeof value === "string" ? clean(value) : value]),
  );
}

/** Drizzle's errors, whose message is the statement followed by its values. */
function failedStatements(error: Error) {
  const found: { readonly message: string; readonly query: string }[] = [];
  const seen = new Set<unknown>();
  for (let cause: unknown = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    seen.add(cause);
    if ("query" in cause && typeof cause.query === "string" && "params" in cause) {
      found.push({ message: cause.message, query: cause.query });
    }
  }
  return found;
}
