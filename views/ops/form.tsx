/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";
import type { FieldErrors } from "./form-data.ts";
import { Banner } from "./parts.tsx";

/** A form that changes something: it carries the session's CSRF token (`operator.frame.csrfToken`). */
export function PostForm(props: {
  readonly action: string;
  readonly csrfToken: string;
  readonly class?: string;
  readonly children: Children;
}): JSX.Element {
  return (
    <form method="post" action={props.action} class={props.class ?? "form"}>
      <input type="hidden" name="_csrf" value={props.csrfToken} />
      {props.children}
    </form>
  );
}

/** What goes along with a form unseen. */
export function HiddenFields(props: { readonly fields: Readonly<Record<string, string>> }): JSX.Element {
  return (
    <>
      {Object.entries(props.fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    </>
  );
}

/** Above a form that was sent and not taken: that nothing was saved, and what belongs to no field. */
export function FormFault(props: {
  readonly errors: FieldErrors;
  /** It has secrets, which are never sent back. */
  readonly withSecrets?: boolean;
}): JSX.Element {
  const { errors, withSecrets = false } = props;
  const total = Object.keys(errors).filter((name) => name !== "").length;
  if (total === 0 && errors[""] === undefined) return "";
  const fields = total === 1 ? "One field needs another look." : `${total} fields need another look.`;
  return (
    <Banner tone="bad" title="Nothing was saved" announced>
      <span safe>
        {`${errors[""] ?? fields}${withSecrets ? " Secrets that you typed must be typed again." : ""}`}
      </span>
    </Banner>
  );
}

/** A form that only asks: its fields stand in the address. */
export function FilterForm(props: {
  readonly action: string;
  /** Something is filtered now, and can be cleared. */
  readonly isFiltered?: boolean;
  readonly children: Children;
}): JSX.Element {
  return (
    <form method="get" action={props.action} class="filters">
      {props.children}
      <div class="actions">
        <button type="submit">Filter</button>
        {props.isFiltered ? (
          <a class="button" href={props.action}>
            Clear
          </a>
        ) : null}
      </div>
    </form>
  );
}

/** A change that asks first, without any script: the button opens the question. */
export function ConfirmForm(props: {
  readonly action: string;
  readonly csrfToken: string;
  /** On the button that opens the question, e.g. `Discard…`. */
  readonly label: string;
  /** What will happen, and whether it can be undone. */
  readonly question: string;
  /** On the button that does it, e.g. `Discard 3 events`. */
  readonly confirm: string;
  readonly danger?: boolean;
  /** Hidden fields that go along. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly children?: Children;
}): JSX.Element {
  return (
    <details class="confirm">
      <summary class={props.danger ? "button danger" : "button"} safe>
        {props.label}
      </summary>
      <PostForm action={props.action} csrfToken={props.csrfToken} class="confirm-body">
        <p safe>{props.question}</p>
        <HiddenFields fields={props.fields ?? {}} />
        {props.children ?? null}
        <button type="submit" class={props.danger ? "danger" : "primary"} safe>
          {props.confirm}
        </button>
      </PostForm>
    </details>
  );
}
