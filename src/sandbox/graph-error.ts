import { randomBytes } from "node:crypto";

/** What goes wrong in a Graph API answer. */
export interface GraphError {
  /** HTTP status. */
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly type?: string;
  readonly subcode?: number;
  readonly transient?: boolean;
  readonly userTitle?: string;
  readonly userMessage?: string;
}

/** A trace id shaped like Meta's: `A` and 22 url-safe characters. */
export function fbtraceId(): string {
  return `A${randomBytes(17).toString("base64url").slice(0, 22)}`;
}

/** The error as the Graph API answers it: `{ error: { message, type, code, … , fbtrace_id } }`. */
export function graphErrorResponse(error: GraphError, headers: Record<string, string> = {}): Response {
  const body = {
    error: {
      message: error.message,
      type: error.type ?? "OAuthException",
      code: error.code,
      ...(error.subcode !== undefined && { error_subcode: error.subcode }),
      is_transient: error.transient ?? false,
      ...(error.userTitle !== undefined && { error_user_title: error.userTitle }),
      ...(error.userMessage !== undefined && { error_user_msg: error.userMessage }),
      fbtrace_id: fbtraceId(),
    },
  };
  return Response.json(body, { status: error.status, headers });
}

/** 190: the token is missing, expired or wrong. Meta answers 400 (sometimes 401). */
export function invalidToken(message: string, subcode?: number): GraphError {
  return { status: 400, code: 190, message, ...(subcode !== undefined && { subcode }) };
}
