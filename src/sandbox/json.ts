/** A JSON object whose fields are still unknown. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

/** Is this parsed JSON value an object (not null, not an array)? */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The parsed value, or `undefined` where the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
