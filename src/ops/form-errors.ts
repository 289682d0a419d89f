import type { FieldErrors } from "../../views/ops/form-data.ts";
import type { Issue } from "../platform/parse-input.ts";

/** What to say at each field: the first that is wrong with it. `fieldOf` names the field of an issue's path. */
export function fieldErrors(
  issues: readonly Issue[],
  fieldOf: (path: string) => string = (path) => path,
): FieldErrors {
  const errors: Record<string, string> = {};
  for (const { path, message } of issues) errors[fieldOf(path)] ??= message;
  return errors;
}
