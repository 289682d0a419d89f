import { problem } from "../platform/problem.ts";
import { withoutAt } from "./bot-rules.ts";

/** The answer to who names a bot, in the field `bot`, that nobody has added. */
export function unknownBot(username: string): Response {
  return problem(422, {
    detail: `There is no bot @${withoutAt(username)}. Add it first.`,
    errors: [{ path: "bot", message: "no bot has this username" }],
  });
}
