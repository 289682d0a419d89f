/** What one check found. */
export interface Finding {
  readonly check: string;
  readonly level: "good" | "warning" | "bad";
  readonly text: string;
  /** What to do about it; null where all is well. */
  readonly todo: string | null;
}

/** Works; nothing is to be done. */
export function good(check: string, text: string): Finding {
  return { check, level: "good", text, todo: null };
}

/** Works, but not as it should. */
export function warning(check: string, text: string, todo: string): Finding {
  return { check, level: "warning", text, todo };
}

/** Does not work. */
export function bad(check: string, text: string, todo: string): Finding {
  return { check, level: "bad", text, todo };
}
