import { isAway, isUnwritable } from "./db/fault.ts";
import type { Deps } from "./deps.ts";
import { databaseAwayPage, failedPage, isOpsPage } from "./ops/failed-page.ts";
import { internalServerError, problem, serviceUnavailable } from "./platform/problem.ts";
import { refusalOf } from "./platform/refusal.ts";
import { SettingError } from "./platform/setting-error.ts";

/** The answer to what went wrong: the request's own fault, a database that is away, or ours; the last two are logged. */
export function errorAnswer(
  { log, db, assets }: Pick<Deps, "log" | "db" | "assets">,
  code: string | number,
  error: unknown,
  request: Request,
): Response {
  const refusal = refusalOf(error);
  if (refusal) return refusal;
  if (code === "PARSE") return problem(400, { detail: "The request could not be understood." });
  if (error instanceof URIError)
    return problem(400, { detail: "The address is not valid percent-encoding." });
  const todo = db.advice(error);
  log.error({ error, method: request.method, todo }, "a request failed");
  const isForOperators = isOpsPage(request);
  if (error instanceof SettingError && !isForOperators) {
    return serviceUnavailable(`${error.message}. ${error.todo}`);
  }
  if (isAway(error)) {
    if (isForOperators) return databaseAwayPage(assets.ops.css);
    return serviceUnavailable("The database cannot be used at this moment. Try again.");
  }
  if (isForOperators) return failedPage(assets.ops.css, todo);
  if (isUnwritable(error)) return serviceUnavailable(`The database takes nothing until you ${todo}.`);
  return internalServerError();
}
