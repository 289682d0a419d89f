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
    /** As it was when the page was made, so that nobody's change is overwritten unseen; null for a new one. */
    readonly stored: { readonly updated_at: string } | null;
    readonly children: Children;
  },
): JSX.Element {
  const { errors, withSecrets = false, stored } = props;
  return (
    <PostForm action={props.action} csrfToken={props.csrfToken} class="form sections">
      <FormFault errors={errors} withSecrets={withSecrets} />
      {stored === null ? null : <input type="hidden" name="seen" value={stored.updated_at} />}
      {props.children}
      <div class="actions">
        <button type="submit" class="primary" safe>
          {props.submit}
        </button>
      </div>
    </PostForm>
  );
}
