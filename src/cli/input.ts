import type { z } from "zod";
import { type Issue, parseInput } from "../platform/parse-input.ts";
import { IS_MISSING } from "../platform/problem.ts";
import { WrongUsage } from "./command.ts";

/** The flags of fields whose flag is called otherwise. */
export type FlagOfField = Readonly<Record<string, string>>;

/** The fields that were given: the others are left as they are. */
export function onlyGiven(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Holds what the flags say to a schema. @throws WrongUsage */
export function checked<S extends z.ZodType>(
  schema: S,
  input: unknown,
  flagOfField?: FlagOfField,
): z.output<S> {
  const parsed = parseInput(schema, input);
  if (parsed.kind === "invalid") throw new WrongUsage(issueLines(parsed.issues, flagOfField));
  return parsed.value;
}

/** A row's number, as it stands without a flag; or with the one that `flag` says. @throws WrongUsage */
export function idOf(text: string, flag = ""): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) {
    throw new WrongUsage(`${flag}"${text}" is not a number as the lists show it`);
  }
  return Number(text);
}

/** A switch that an issue would have turned off, as the API calls it. */
const OFF = / off \((\w+)\)/;

/** Issues in the words of the command line: one line each, with its flag. */
export function issueLines(issues: readonly Issue[], flagOfField?: FlagOfField): string {
  return issues
    .map(({ path, message: said }) => {
      const message = said.replace(OFF, (_, field: string) => ` off (--no-${flagOf(field, flagOfField)})`);
      const flag = flagOf(path.split(".")[0] ?? "", flagOfField);
      if (flag === "") return message;
      return message === IS_MISSING ? `--${flag} ${message}` : `--${flag}: ${message}`;
    })
    .join("\n");
}

/** What a field's flag is called, without its hyphens. */
export function flagOf(field: string, flagOfField: FlagOfField = {}): string {
  return flagOfField[field] ?? field.replaceAll("_", "-");
}
