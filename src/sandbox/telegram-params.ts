import { isJsonObject, type JsonObject, parseBody, parseJson } from "./json.ts";

/** Parameters of one Bot API call. Fields that a form carries as JSON text are parsed already. */
export type Params = JsonObject;

const JSON_FIELDS: ReadonlySet<string> = new Set([
  "reply_markup",
  "prices",
  "commands",
  "allowed_updates",
  "entities",
  "caption_entities",
  "scope",
  "suggested_tip_amounts",
  "link_preview_options",
  "reply_parameters",
  "provider_data",
]);

/**
 * Reads the parameters of a call, as JSON, urlencoded form or multipart form (a file becomes
 * `{ file_name, size }`). `null` where the body cannot be read.
 */
export async function readParams(request: Request): Promise<Params | null> {
  const contentType = request.headers.get("content-type") ?? "";
  if (/^multipart\/form-data|^application\/x-www-form-urlencoded/i.test(contentType)) {
    return readForm(request);
  }
  const text = await request.text();
  if (text.trim() === "") return {};
  const body = parseBody(request, text);
  return isJsonObject(body) ? withParsedFields(Object.entries(body)) : null;
}

async function readForm(request: Request): Promise<Params | null> {
  try {
    const form = await request.formData();
    const fields: [string, unknown][] = [];
    for (const [name, value] of form) {
      fields.push([name, typeof value === "string" ? value : { file_name: value.name, size: value.size }]);
    }
    return withParsedFields(fields);
  } catch {
    return null; // Not a form after all: Telegram answers 400, and so does the caller.
  }
}

function withParsedFields(fields: readonly (readonly [string, unknown])[]): Params {
  return Object.fromEntries(
    fields.map(([name, value]) => {
      if (typeof value !== "string" || !JSON_FIELDS.has(name)) return [name, value];
      return [name, parseJson(value) ?? value];
    }),
  );
}

/** The parameter as text; a number counts, as Telegram takes both. `null` where it is missing or empty. */
export function textParam(params: Params, name: string): string | null {
  const value = params[name];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

/** The parameter as a whole number, from a number or its digits; `null` otherwise. */
export function integerParam(params: Params, name: string): number | null {
  const text = textParam(params, name);
  return text !== null && /^-?\d{1,16}$/.test(text) ? Number(text) : null;
}

/** The parameter as a boolean, from a boolean or `"true"`/`"false"`; `null` otherwise. */
export function booleanParam(params: Params, name: string): boolean | null {
  const value = params[name];
  if (typeof value === "boolean") return value;
  if (value === "true") return true;
  return value === "false" ? false : null;
}
