/** A JSON object whose fields are still unknown. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

/** Is this parsed JSON value an object (not null, not an array)? */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A request's body, parsed; `undefined` where it is not JSON or does not say so, which the real services then do not read. */
export function parseBody(request: Request, text: string): unknown {
  const type = request.headers.get("content-type") ?? "";
  return /^application\/json\b/i.test(type) ? parseJson(text) : undefined;
}

/** The parsed value, or `undefined` where the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
