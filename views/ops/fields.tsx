/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";
import type { FieldErrors } from "./form-data.ts";

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly hint?: string;
  /** What is wrong with the value that was sent. */
  readonly error?: string | undefined;
}

/** A field of text with what stands in it and what is wrong with it. */
export function typed<N extends string>(
  name: N,
  fields: Readonly<Record<NoInfer<N>, string>>,
  errors: FieldErrors,
) {
  return { name, value: fields[name], error: errors[name] };
}

/** The same of a box to tick. */
export function ticked<N extends string>(
  name: N,
  fields: Readonly<Record<NoInfer<N>, boolean>>,
  errors: FieldErrors,
) {
  return { name, checked: fields[name], error: errors[name] };
}

/** One line of text. */
export function TextField(
  props: FieldProps & {
    readonly value: string;
    readonly type?: "text" | "datetime-local" | "search";
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
        {...control(props)}
        type={props.type ?? "text"}
        dir="auto"
        value={props.value}
        placeholder={props.placeholder}
        required={props.required}
        maxlength={props.maxLength}
        list={listId}
        autocomplete="off"
        spellcheck="false"
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

/** Written, never shown again; empty keeps what is there. */
function SecretField(props: FieldProps & { readonly isSet: boolean }): JSX.Element {
  return (
    <Field {...props}>
      <input
        {...control(props)}
        type="password"
        value=""
        placeholder={props.isSet ? "set; leave empty to keep it" : "not set"}
        autocomplete="new-password"
        spellcheck="false"
      />
    </Field>
  );
}

/** Several lines of text, four high unless `rows` says otherwise. */
export function TextArea(
  props: FieldProps & { readonly value: string; readonly rows?: number },
): JSX.Element {
  return (
    <Field {...props}>
      <textarea {...control(props)} dir="auto" rows={String(props.rows ?? 4)} safe>
        {props.value}
      </textarea>
    </Field>
  );
}

/** A choice among `options`; `value` is the chosen one's. */
export function SelectField(
  props: FieldProps & {
    readonly value: string;
    readonly options: readonly { readonly value: string; readonly label: string }[];
  },
): JSX.Element {
  return (
    <Field {...props}>
      <select {...control(props)}>
        {props.options.map(({ value, label }) => (
          <option value={value} selected={value === props.value} safe>
            {label}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** A secret, never shown again. `isSet` says that there is one, which an empty field keeps and `removal` takes away. */
export function StoredSecretField(
  props: FieldProps & {
    readonly isSet: boolean;
    readonly removal: FieldProps & { readonly checked: boolean };
  },
): JSX.Element {
  const { removal, ...secret } = props;
  return (
    <>
      <SecretField {...secret} />
      {secret.isSet ? <CheckField {...removal} /> : null}
    </>
  );
}

/** A box to tick, which sends "1", and nothing where it is not ticked. */
export function CheckField(props: FieldProps & { readonly checked: boolean }): JSX.Element {
  return (
    <div class={props.error ? "field check wrong" : "field check"}>
      <label>
        <input
          type="checkbox"
          name={props.name}
          value="1"
          checked={props.checked}
          aria-describedby={describedBy(props)}
        />
        <span safe>{props.label}</span>
      </label>
      <Notes {...props} />
    </div>
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

/** What every control says of itself. */
function control(props: FieldProps) {
  return {
    id: `f-${props.name}`,
    name: props.name,
    "aria-invalid": props.error ? ("true" as const) : undefined,
    "aria-describedby": describedBy(props),
  };
}

function describedBy({ name, hint, error }: FieldProps): string | undefined {
  const ids = [error && `f-${name}-error`, hint !== undefined && `f-${name}-hint`].filter(Boolean);
  return ids.length > 0 ? ids.join(" ") : undefined;
}
