import { currentRequestId } from "./request-id.ts";

/** One thing that is wrong with a request, and where. */
export interface ProblemError {
  readonly path: string;
  readonly message: string;
}

interface ProblemDetails {
  readonly detail: string;
  readonly errors?: readonly ProblemError[];
  readonly headers?: Readonly<Record<string, string>>;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/**
 * The one shape of our errors: `application/problem+json` (RFC 9457). `detail` says what to do; `request_id`, where
 * there is one, finds the log lines.
 */
export function problem(status: number, { detail, errors = [], headers = {} }: ProblemDetails): Response {
  const requestId = currentRequestId();
  const title = TITLES[status] ?? "Error";
  const body = { type: "about:blank", title, status, detail, errors, request_id: requestId };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(requestId !== undefined && { "x-request-id": requestId }),
      ...headers,
    },
  });
}

/** The answer to what went wrong here. */
export function internalServerError(): Response {
  return problem(500, { detail: "This is our fault and has been logged. Try again." });
}

/** The answer while what it takes is away for a moment. */
export function serviceUnavailable(detail: string): Response {
  return problem(503, { detail, headers: { "retry-after": "5" } });
}

/** The answer to a body that is no JSON at all, so that no schema has anything to say of it. */
export function notJson(): Response {
  return problem(400, { detail: "The body is not valid JSON." });
}

/** The answer to a method that a known address does not take; `allow` lists those that it does. */
export function methodNotAllowed(allow: string): Response {
  return problem(405, { detail: `This address takes ${allow} only.`, headers: { allow } });
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Zod's issues as problem errors: of unknown fields, one each. */
export function problemErrors(issues: readonly Issue[]): ProblemError[] {
  return issues.flatMap(({ path, message }) => {
    const unknown = /^Unrecognized keys?: "(.+)"$/.exec(message)?.[1]?.split('", "');
    const at = (...more: readonly string[]) => [...path.map(String), ...more].join(".");
    return unknown
      ? unknown.map((name) => ({ path: at(name), message: "unknown field" }))
      : [{ path: at(), message: plainMessage(message) }];
  });
}

/** What is said of a field that was not given; whoever names flags puts it in a sentence. */
export const IS_MISSING = "is missing";

/** What JSON's kinds are called to people. */
const KINDS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** Zod's words in plainer ones, where they name the values that are taken, or their kind. */
function plainMessage(message: string): string {
  const choice = /^Invalid (?:option|input): expected (?:one of )?(".+")$/.exec(message)?.[1];
  if (choice !== undefined) return `one of ${choice.slice(1, -1).replaceAll('"|"', ", ")}`;
  if (message.endsWith("received undefined")) return IS_MISSING;
  const kind = KINDS[/^Invalid input: expected (\w+), received/.exec(message)?.[1] ?? ""];
  return kind === undefined ? message : `must be ${kind}`;
}
