import { z } from "zod";
import { type ProblemError, problemErrors } from "./problem.ts";

/** A form's, a flag's or a JSON body's text: outer spaces never count. */
export const text = (pattern: RegExp, message: string) => z.string().trim().regex(pattern, message);

/** The rule for a name or a value of one line, as pattern and message. Postgres would not even look for anything else. */
export const oneLine = (longest: number): readonly [pattern: RegExp, message: string] => [
  new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${longest}}$`, "u"),
  `1 to ${longest} characters, none of them a control character`,
];

/** The pattern for what stands in a message: several lines of well-formed text. */
export const severalLines = (longest: number) =>
  new RegExp(`^(?:[^\\p{Cc}\\p{Cs}]|[\\r\\n\\t]){1,${longest}}$`, "u");

/** Text that Postgres can hold: without NUL and halves of characters. Anything else is refused. */
export const wellFormed = z.string().regex(/^[^\0\p{Cs}]*$/u, "must be well-formed text without NUL");

/** A text that can also be cleared: with null, or (from a form or a flag) with nothing. Reads as null then. */
export const clearable = (pattern: RegExp, message: string, example: string, meta: object = {}) =>
  text(new RegExp(`^$|${pattern.source}`, pattern.flags), message)
    .meta({ examples: [example], ...meta })
    .nullable()
    .transform((value) => value || null)
    .optional();

/** One thing that is wrong with what was asked for; `path` is the field, as in `bots.0.weight`. */
export type Issue = ProblemError;

/** What was asked for is not done like this: each issue says why. */
export interface Invalid {
  readonly kind: "invalid";
  readonly issues: readonly Issue[];
}

/** The same of a single issue. */
export function invalid(path: string, message: string): Invalid {
  return { kind: "invalid", issues: [{ path, message }] };
}

export type Parsed<T> = { readonly kind: "valid"; readonly value: T } | Invalid;

/** Holds whatever came from outside (a body, flags, a form) to a schema. Never throws. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): Parsed<z.output<S>> {
  const parsed = schema.safeParse(input);
  return parsed.success
    ? { kind: "valid", value: parsed.data }
    : { kind: "invalid", issues: problemErrors(parsed.error.issues) };
}
