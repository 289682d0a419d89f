import { LONGEST_API_KEY } from "../config/variables.ts";
import type { Database } from "../db/database.ts";
import { ANSWER_MS, withDatabaseDeadline } from "../db/database-deadline.ts";
import type { KeyScope } from "../db/vocabulary.ts";
import { findApiKey, noteUse } from "../keys/api-keys.ts";
import { ENVIRONMENT_KEY } from "../keys/key-rules.ts";
import { equalInConstantTime } from "../platform/digests.ts";
import type { Log } from "../platform/log.ts";
import { problem, serviceUnavailable } from "../platform/problem.ts";

interface AuthorizeDeps {
  readonly db: Database;
  readonly now: () => Date;
  readonly log: Log;
  /** `API_KEY` of the environment: may write, and works without the database. */
  readonly apiKey: string | undefined;
}

type Authorization =
  /** `actor` names the key in the audit log. */
  | { readonly kind: "authorized"; readonly actor: string; readonly scope: KeyScope }
  | { readonly kind: "refused"; readonly response: Response };

/** Decides whether a request's key lets it do what needs that scope. */
export type Authorize = (request: Request, needs: KeyScope) => Promise<Authorization>;

const BEARER = new RegExp(`^Bearer +([\\x21-\\x7e]{1,${LONGEST_API_KEY}})$`, "i");

/** `Authorization: Bearer <key>` against `API_KEY` and the keys made by operators. */
export function createAuthorize(deps: AuthorizeDeps): Authorize {
  return async (request, needs) => {
    const header = request.headers.get("authorization");
    if (header === null) return unauthorized("Send your API key as: Authorization: Bearer <key>");
    const key = BEARER.exec(header)?.[1];
    if (key === undefined)
      return unauthorized("The Authorization header must read: Bearer <key>", "invalid_request");
    if (deps.apiKey !== undefined && equalInConstantTime(key, deps.apiKey)) {
      return { kind: "authorized", actor: `api:${ENVIRONMENT_KEY}`, scope: "write" };
    }
    return authorizeStored(deps, key, needs);
  };
}

async function authorizeStored(deps: AuthorizeDeps, key: string, needs: KeyScope): Promise<Authorization> {
  try {
    const row = await withDatabaseDeadline(deps.db, ANSWER_MS, findApiKey(deps, key));
    if (row === undefined) return unauthorized("This API key is unknown or was revoked.", "invalid_token");
    if (needs === "write" && row.scope === "read") {
      return refused(insufficientScope("This API key may only read. Use one with the scope write."));
    }
    // A database that takes no writes can still be read, and that is when operators look.
    await withDatabaseDeadline(deps.db, ANSWER_MS, noteUse(deps, row)).catch((error) =>
      deps.log.warn({ error, todo: deps.db.advice(error) }, "the use of an API key could not be noted"),
    );
    return { kind: "authorized", actor: `api:${row.name}`, scope: row.scope };
  } catch (error) {
    deps.log.error({ error, todo: deps.db.advice(error) }, "an API key could not be looked up");
    return refused(serviceUnavailable("The key cannot be checked right now. Try again."));
  }
}

/** RFC 6750: the challenge says what was wrong, where a key was sent at all. */
function unauthorized(detail: string, error?: "invalid_request" | "invalid_token"): Authorization {
  const challenge = `Bearer realm="ponte"${error === undefined ? "" : `, error="${error}"`}`;
  return refused(problem(401, { detail, headers: { "www-authenticate": challenge } }));
}

/** RFC 6750 again: the answer to a key that may only read. */
export function insufficientScope(detail: string): Response {
  const challenge = 'Bearer realm="ponte", error="insufficient_scope", scope="write"';
  return problem(403, { detail, headers: { "www-authenticate": challenge } });
}

function refused(response: Response): Authorization {
  return { kind: "refused", response };
}

/** For routes beside the API that a key opens: the answer to a request whose key does not, null where it does. */
export function keysWith(
  needs: KeyScope,
  authorize: Authorize,
): (request: Request) => Promise<Response | null> {
  return async (request) => {
    const authorization = await authorize(request, needs);
    return authorization.kind === "refused" ? authorization.response : null;
  };
}
