import { type Context, type Given, type Options, Refused, WrongUsage } from "./command.ts";

/** The flags of a command that acts for good, which asks first. */
export const ASKING_FLAGS = {
  "dry-run": { type: "boolean", help: "only count" },
  yes: { type: "boolean", help: "do not ask first; needed where there is no terminal" },
} as const satisfies Options;

type Asking = Given<typeof ASKING_FLAGS>;

/** @throws WrongUsage where nobody sits there to be asked and nobody said yes beforehand */
export function refuseUnasked({ terminal }: Context, given: Asking): void {
  if (terminal.isInteractive || given.yes || given["dry-run"]) return;
  throw new WrongUsage("there is no terminal to ask on: give --yes to go ahead, or --dry-run to count only");
}

/** Asks, unless somebody said yes beforehand. @throws Refused where the answer is no */
export async function askFirst({ terminal }: Context, given: Asking, question: string): Promise<void> {
  if (given.yes || (await terminal.confirm(question))) return;
  throw new Refused("Nothing was changed.");
}
