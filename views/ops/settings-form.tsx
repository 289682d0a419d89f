/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";
import { FormFault, PostForm } from "./form.tsx";
import type { FieldErrors } from "./form-data.ts";

/** Where a form with everything about a thing goes, and what its button says. */
export interface SettingsFormProps {
  readonly action: string;
  readonly submit: string;
  readonly csrfToken: string;
}

/** What stands around the fields of a pool, a bot or an offer, one `fieldset` a part. */
export function SettingsForm(
  props: SettingsFormProps & {
    readonly errors: FieldErrors;
    readonly withSecrets?: boolean;
    /** What was there when the page was made, so that nobody's change is overwritten unseen, and nothing made twice. */
    readonly seen: string | undefined;
    readonly children: Children;
  },
): JSX.Element {
  const { errors, withSecrets = false, seen } = props;
  return (
    <PostForm action={props.action} csrfToken={props.csrfToken} class="form sections">
      <FormFault errors={errors} withSecrets={withSecrets} />
      {seen === undefined ? null : <input type="hidden" name="seen" value={seen} />}
      {props.children}
      <div class="actions">
        <button type="submit" class="primary" safe>
          {props.submit}
        </button>
      </div>
    </PostForm>
  );
}
