/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";
import type { FieldErrors } from "./form-data.ts";
import { Banner } from "./parts.tsx";

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly hint?: string;
  /** What is wrong with the value that was sent. */
  readonly error?: string | undefined;
}

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

/** Above a form that was sent and not taken: that nothing was saved, and what belongs to no field. */
export function FormFault(props: {
  readonly errors: FieldErrors;
  /** It has secrets, which are never sent back. */
  readonly withSecrets?: boolean;
}): JSX.Element {
  const { errors, withSecrets = false } = props;
  const total = Object.keys(errors).filter((name) => name !== "").length;
  if (total === 0 && errors[""] === undefined) return "";
  const fields = total === 1 ? "One field needs" : `${total} fields need`;
  return (
    <Banner tone="bad" title="Nothing was saved" announced>
      <span safe>
        {errors[""] ??
          `${fields} another look.${withSecrets ? " Secrets that you typed must be typed again." : ""}`}
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

/** One line of text. */
export function TextField(
  props: FieldProps & {
    readonly value: string;
    readonly type?: "text" | "number" | "url" | "datetime-local" | "date" | "search";
    readonly placeholder?: string;
    readonly required?: boolean;
    readonly maxLength?: number;
    readonly list?: readonly string[];
  },
): JSX.Element {
  const listId = props.list ? `${props.name}-list` : undefined;
  return (
    <Field {...props}>
      <input
        id={`f-${props.name}`}
        name={props.name}
        type={props.type ?? "text"}
        value={props.value}
        placeholder={props.placeholder}
        required={props.required}
        maxlength={props.maxLength}
        list={listId}
        autocomplete="off"
        spellcheck="false"
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      />
      {listId ? (
        <datalist id={listId}>
          {props.list?.map((value) => (
            <option value={value} />
          ))}
        </datalist>
      ) : null}
    </Field>
  );
}

/** A secret: written, never shown again. `isSet` says that there is one, which an empty field keeps. */
export function SecretField(props: FieldProps & { readonly isSet: boolean }): JSX.Element {
  return (
    <Field {...props}>
      <input
        id={`f-${props.name}`}
        name={props.name}
        type="password"
        value=""
        placeholder={props.isSet ? "set; leave empty to keep it" : "not set"}
        autocomplete="new-password"
        spellcheck="false"
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      />
    </Field>
  );
}

export function TextArea(
  props: FieldProps & { readonly value: string; readonly rows?: number },
): JSX.Element {
  return (
    <Field {...props}>
      <textarea
        id={`f-${props.name}`}
        name={props.name}
        rows={String(props.rows ?? 4)}
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
        safe
      >
        {props.value}
      </textarea>
    </Field>
  );
}

export function SelectField(
  props: FieldProps & {
    readonly value: string;
    readonly options: readonly { readonly value: string; readonly label: string }[];
  },
): JSX.Element {
  return (
    <Field {...props}>
      <select
        id={`f-${props.name}`}
        name={props.name}
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      >
        {props.options.map(({ value, label }) => (
          <option value={value} selected={value === props.value} safe>
            {label}
          </option>
        ))}
      </select>
    </Field>
  );
}

export function CheckField(
  props: FieldProps & { readonly checked: boolean; readonly value?: string },
): JSX.Element {
  return (
    <div class={props.error ? "field check wrong" : "field check"}>
      <label>
        <input
          type="checkbox"
          name={props.name}
          value={props.value ?? "1"}
          checked={props.checked}
          aria-describedby={describedBy(props)}
        />
        <span safe>{props.label}</span>
      </label>
      <Notes {...props} />
    </div>
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
        {Object.entries(props.fields ?? {}).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        {props.children ?? null}
        <button type="submit" class={props.danger ? "danger" : "primary"} safe>
          {props.confirm}
        </button>
      </PostForm>
    </details>
  );
}

function Field(props: FieldProps & { readonly children: Children }): JSX.Element {
  return (
    <div class={props.error ? "field wrong" : "field"}>
      <label for={`f-${props.name}`} safe>
        {props.label}
      </label>
      {props.children}
      <Notes {...props} />
    </div>
  );
}

function Notes({ name, hint, error }: FieldProps): JSX.Element {
  return (
    <>
      {error ? (
        <p class="error" id={`f-${name}-error`} safe>
          {error}
        </p>
      ) : null}
      {hint === undefined ? null : (
        <p class="hint" id={`f-${name}-hint`} safe>
          {hint}
        </p>
      )}
    </>
  );
}

function describedBy({ name, hint, error }: FieldProps): string | undefined {
  const ids = [error && `f-${name}-error`, hint !== undefined && `f-${name}-hint`].filter(Boolean);
  return ids.length > 0 ? ids.join(" ") : undefined;
}
