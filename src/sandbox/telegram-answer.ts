import type { MethodOutcome } from "./telegram-methods.ts";

/** The Bot API's answer to a call. */
export function outcomeResponse(outcome: MethodOutcome): Response {
  switch (outcome.kind) {
    case "ok": {
      const { result, description } = outcome;
      return Response.json({ ok: true, result, ...(description !== undefined && { description }) });
    }
    case "refused":
      return refusalResponse(outcome.errorCode, outcome.description);
  }
}

/** `{ ok: false, error_code, description, parameters? }`; Telegram's HTTP status equals the error code. */
export function refusalResponse(
  errorCode: number,
  description: string,
  retryAfterSeconds?: number,
): Response {
  const parameters = retryAfterSeconds === undefined ? null : { retry_after: retryAfterSeconds };
  const headers = parameters === null ? {} : { "retry-after": String(parameters.retry_after) };
  return Response.json(
    { ok: false, error_code: errorCode, description, ...(parameters && { parameters }) },
    { status: errorCode, headers },
  );
}
