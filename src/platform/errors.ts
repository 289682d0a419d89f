/** The error and what caused it, innermost last: drivers and drizzle wrap one another. */
export function causesOf(error: unknown): Error[] {
  const causes = new Set<Error>();
  for (let cause = error; cause instanceof Error && !causes.has(cause); cause = cause.cause) {
    causes.add(cause);
  }
  return [...causes];
}

/** What a driver or the system calls the error, such as `42P01` or `ECONNREFUSED`; empty where it has no name. */
export function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Drizzle's error of a statement; its message is the statement followed by its values, which belong to people. */
export function isFailedStatement(error: Error): error is Error & { readonly query: string } {
  return "query" in error && typeof error.query === "string" && "params" in error;
}

/**
 * The error in one line, its code before its words, where they do not begin with it; of a failed statement what the
 * database said, without values.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isFailedStatement(error)) return errorText(error.cause ?? `failed query: ${error.query}`);
  const code = codeOf(error);
  return error.message.startsWith(code) ? error.message : `${code}: ${error.message}`;
}
