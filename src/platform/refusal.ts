import { ParseError, ValidationError } from "elysia";
import { notJson, problem, problemErrors } from "./problem.ts";

/** A body that could not be read as JSON, for a schema to refuse. */
export const NOT_JSON = Symbol("not JSON");
/** A request without a body. Only a route whose every field may be left out takes it for an empty object. */
export const NO_BODY = Symbol("no body");

/** Ends a request, from wherever it is thrown, with this answer, made where the request's id is known. */
export class RefusedRequest extends Error {
  override readonly name = "RefusedRequest";

  constructor(readonly response: () => Response) {
    super("the request was refused");
  }
}

/**
 * The answer to an error that is the request's fault: a refusal's own, or, for what Elysia's schemas do not let
 * through, a problem with every field. Undefined for an error that is ours.
 */
export function refusalOf(error: unknown): Response | undefined {
  if (error instanceof RefusedRequest) return error.response();
  // Elysia wraps what is thrown while a body is read.
  if (error instanceof ParseError) return refusalOf(error.cause);
  if (error instanceof ValidationError) return validationProblem(error);
  return undefined;
}

/** A path that nobody can have is not found. */
function validationProblem(error: ValidationError): Response {
  if (error.type === "params") return problem(404, { detail: "Nothing is here." });
  if (error.value === NOT_JSON || error.value === NO_BODY) return notJson();
  const errors = problemErrors(
    error.all.map(({ path, message }) => ({
      path: path === undefined || path === "root" || path === "" ? [] : [String(path)],
      message: message ?? "invalid",
    })),
  );
  return problem(400, {
    detail:
      error.type === "body"
        ? "The body must be a JSON object as the errors say; /openapi describes it."
        : "The request is not understood; the errors say what is wrong.",
    errors,
  });
}
