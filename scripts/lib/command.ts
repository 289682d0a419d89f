import { type ParseArgsConfig, parseArgs } from "node:util";

/** What was typed cannot be meant. */
export class UsageError extends Error {}

/** The flags that were typed. @throws UsageError where they cannot be understood */
export function readFlags<const O extends NonNullable<ParseArgsConfig["options"]>>(
  argv: readonly string[],
  options: O,
) {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** What a flag was given, as a whole number above 0. @throws UsageError where it is none */
export function wholeNumber(flag: string, given: string): number {
  const value = Number(given);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`--${flag} takes whole numbers above 0, not "${given}"`);
}

/** Runs a command and ends with the code that it answers; with 2 for wrong usage, and 1 for a failure. */
export function runCommand(main: () => Promise<number>): void {
  main().then(
    (code) => process.exit(code),
    (error) => {
      console.error(error instanceof UsageError ? `✗ ${error.message}` : error);
      process.exit(error instanceof UsageError ? 2 : 1);
    },
  );
}
