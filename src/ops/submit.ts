import type { FieldErrors } from "../../views/ops/form-data.ts";
import { type Invalid, type Issue, invalid, type Parsed } from "../platform/parse-input.ts";
import type { FormFields } from "./form.ts";

/** What an answer is made of, at once or after reading. */
type Answer = Response | Promise<Response>;

/**
 * Carries out what a form asks for. `wrong` shows the form again, with what its schema or the change itself finds wrong
 * with it; `done` answers to everything else that came of the change.
 */
export async function submit<T, R extends { readonly kind: string }>(form: {
  readonly parsed: Parsed<T>;
  readonly change: (value: T) => Promise<R | Invalid>;
  readonly wrong: (issues: readonly Issue[]) => Answer;
  readonly done: (result: R) => Answer;
}): Promise<Response> {
  const { parsed, change, wrong, done } = form;
  if (parsed.kind === "invalid") return wrong(parsed.issues);
  const result = await change(parsed.value);
  return isInvalid(result) ? wrong(result.issues) : done(result);
}

function isInvalid(result: { readonly kind: string }): result is Invalid {
  return result.kind === "invalid";
}

/** What has a form of settings, in the operator's words. */
type Edited = "pool" | "bot" | "offer";

/**
 * What is wrong with a form of settings that was overtaken; null where it was not. It holds every field, so saving an
 * old one would undo what somebody else changed since.
 */
export function overtaken(
  what: Edited,
  form: FormFields,
  stored: { readonly updated_at: string },
): Invalid | null {
  return form.text("seen") === stored.updated_at ? null : invalid("", overtakenText(what));
}

/** The same in words, also for a form that was overtaken in the very moment of saving. */
export function overtakenText(what: Edited): string {
  return `The ${what} was changed since this page was opened, and saving would undo that. Below is what you typed: compare it with the audit log and save again.`;
}

/** The status of a page with a form: what was sent and not taken is the sender's fault. */
export function formStatus(errors: FieldErrors): 200 | 400 {
  return Object.keys(errors).length > 0 ? 400 : 200;
}
