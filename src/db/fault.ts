/**
 * Whether a failed write is the fault of what was written (a constraint, a value of the wrong form) rather than
 * of the database (away, full, read-only, a table or a right missing), where trying row by row helps nobody.
 */
export function isRowFault(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof TypeError || cause instanceof RangeError) return true;
    const code = "code" in cause ? String(cause.code) : "";
    // SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation); SQLite's own names.
    if (/^2[23]...$|^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(code)) return true;
  }
  return false;
}
