/** The fields of a form as they were sent: all text, in any number, none of it trusted. */
export interface FormFields {
  /** The first value of a field, trimmed; empty where it was not sent. */
  text(name: string): string;
  /** A text of several lines, trimmed. Browsers send each line's end as two characters, which count as one. */
  lines(name: string): string;
  /** As it was typed, spaces included: for passwords and tokens. */
  raw(name: string): string;
  /** Every value of a field that may come often, such as a checkbox of each row. */
  all(name: string): readonly string[];
  /** Whether it was sent, as a checkbox is that is ticked. */
  has(name: string): boolean;
  /** The names of all that were sent, each once. */
  names(): readonly string[];
}

/** Reads a request's body as the guard parsed it, or a query; a request without one has no fields. */
export function formFields(body: unknown): FormFields {
  const params = body instanceof URLSearchParams ? body : new URLSearchParams();
  return {
    text: (name) => (params.get(name) ?? "").trim(),
    lines: (name) => (params.get(name) ?? "").replaceAll("\r\n", "\n").trim(),
    raw: (name) => params.get(name) ?? "",
    all: (name) => params.getAll(name),
    has: (name) => params.has(name),
    names: () => [...new Set(params.keys())],
  };
}
