import type { z } from "zod";
import { WrongUsage } from "./command.ts";
import { checked, type FlagOfField, flagOf } from "./input.ts";
import type { Terminal } from "./terminal.ts";

/** How a command's flags carry secrets. */
interface SecretFlags {
  /** The schema's fields that may be given as `-`. */
  readonly secrets: readonly string[];
  readonly flagOfField?: FlagOfField;
}

/**
 * Holds what the flags say to a schema, and reads the secrets that were given as `-`: once nothing else is wrong.
 *
 * @throws WrongUsage
 */
export async function checkedWithSecrets<S extends z.ZodType>(
  terminal: Terminal,
  schema: S,
  input: Readonly<Record<string, unknown>>,
  { secrets, flagOfField }: SecretFlags,
): Promise<z.output<S>> {
  const asked = secrets.filter((field) => input[field] === "-");
  const unasked = Object.entries(input).filter(([field]) => !asked.includes(field));
  const value = checked(schema, Object.fromEntries(unasked), flagOfField);
  if (asked.length === 0) return value;
  const read: Record<string, string> = {};
  for (const field of asked) read[field] = await readSecret(terminal, flagOf(field, flagOfField));
  return checked(schema, { ...input, ...read }, flagOfField);
}

/** An empty value would clear what the flag sets, which nobody means by sending nothing. */
async function readSecret(terminal: Terminal, flag: string): Promise<string> {
  const secret = (await terminal.readSecret(`--${flag} (not shown):`)).trim();
  if (secret === "") throw new WrongUsage(`--${flag}: nothing came on standard input`);
  return secret;
}
