import { ASKS_FOR_KEY, problemAnswer, REFUSALS } from "../platform/openapi.ts";
import type { SchemaName } from "./schemas.ts";

const MEANINGS = {
  200: "Done",
  201: "Made",
  204: "Done, nothing to say",
  ...REFUSALS,
  404: "There is no such thing",
  409: "What is there already stands in the way",
  422: "It would not work like this; `errors` says why",
  503: "Not possible right now; try again",
} as const satisfies Readonly<Record<number, string>>;

/** What each status answers with: a schema by name, or null for a problem (4xx, 5xx) or nothing (204). */
type Answers = Readonly<Partial<Record<keyof typeof MEANINGS, SchemaName | null>>>;

/** What a call that changes something may also be answered; whether it takes a body or not, none may be too large. */
export const CHANGES = { 403: null, 413: null } satisfies Answers;

/** Makes the OpenAPI side of a route: its summary, its answers, and that it asks for an API key. */
export function describeRoute(tag: string) {
  return (summary: string, answers: Answers, description?: string) => ({
    summary,
    ...(description !== undefined && { description }),
    tags: [tag],
    security: ASKS_FOR_KEY,
    responses: Object.fromEntries(
      Object.entries({ ...answers, 400: null, 401: null, 503: null }).map(([status, schema]) => [
        status,
        responseOf(Number(status), schema ?? null),
      ]),
    ),
  });
}

function responseOf(status: number, schema: SchemaName | null) {
  const meanings: Readonly<Record<number, string>> = MEANINGS;
  const description = meanings[status] ?? "";
  if (status === 204) return { description };
  if (schema === null) return problemAnswer(description);
  return {
    description,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } },
  };
}
