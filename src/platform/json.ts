/** A JSON object whose members are still to be looked at. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text's JSON value, or undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not swallowed: "no JSON" is the answer, and every caller decides on it, most by a schema.
    return undefined;
  }
}
