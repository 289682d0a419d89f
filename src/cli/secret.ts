import { WrongUsage } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/**
 * The value of a flag that was given as `-`. An empty value would clear what the flag sets, which nobody means by
 * sending nothing.
 */
export async function readSecret(terminal: Terminal, flag: string): Promise<string> {
  const secret = (await terminal.readSecret(`--${flag} (not shown):`)).trim();
  if (secret === "") throw new WrongUsage(`--${flag}: nothing came on standard input`);
  return secret;
}
