import { z } from "zod";

/** The name of the security scheme in the OpenAPI document. */
export const API_KEY_SCHEME = "apiKey";

/** What a route says of itself that asks for an API key. */
export const ASKS_FOR_KEY = [{ [API_KEY_SCHEME]: [] }];

/** What a refusal means that every route with a key and a body shares. */
export const REFUSALS = {
  400: "The request is not understood; `errors` says where",
  401: "No API key, or an unknown one",
  403: "The API key may only read",
  413: "The body is too large",
} as const;

/** A schema as the OpenAPI document shows it: what is sent (`input`), or what is answered (`output`). */
export function openapiSchema(schema: z.ZodType, io: "input" | "output") {
  // Through JSON: zod's types for a JSON schema and OpenAPI's do not know each other.
  return JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io })));
}

/** The body that a route reads by this schema. */
export function jsonBody(schema: z.ZodType) {
  return { required: true, ...json(openapiSchema(schema, "input")) };
}

/** An answer of this form. */
export function jsonAnswer(description: string, schema: z.ZodType) {
  return { description, ...json(openapiSchema(schema, "output")) };
}

/** An answer of plain text. */
export function textAnswer(description: string) {
  return { description, content: { "text/plain": { schema: { type: "string" as const } } } };
}

/** Problems that a route may answer with: by status, what each means. */
export function problemAnswers(meanings: Readonly<Record<number, string>>) {
  return Object.fromEntries(
    Object.entries(meanings).map(([status, description]) => [status, problemAnswer(description)]),
  );
}

/** A refusal in the one shape of our errors. */
export function problemAnswer(description: string) {
  return {
    description,
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
}

function json(schema: object) {
  return { content: { "application/json": { schema } } };
}
