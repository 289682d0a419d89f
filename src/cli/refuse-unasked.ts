import { type Context, WrongUsage } from "./command.ts";

/** What acts for good asks first. @throws WrongUsage where nobody sits there to be asked and nobody said yes beforehand */
export function refuseUnasked(
  { terminal }: Context,
  given: { readonly yes?: boolean; readonly "dry-run"?: boolean },
): void {
  if (terminal.isInteractive || given.yes || given["dry-run"]) return;
  throw new WrongUsage("there is no terminal to ask on: give --yes to go ahead, or --dry-run to count only");
}
