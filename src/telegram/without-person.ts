import { z } from "zod";
import { parseJson } from "../platform/json.ts";

/** Of what was sent Telegram repeats the text, the chat and whose it is; these say that it arrived. */
const arrived = z.object({
  ok: z.literal(true),
  result: z.object({ message_id: z.int(), date: z.int() }).optional().catch(undefined),
});

/**
 * Telegram's answer as it may be kept and logged: of a good one no more than message and date, so that nobody's name
 * or words stand in logs, which outlive every erasure. Refusals are Telegram's own words, and stay.
 */
export function withoutPerson(body: string): string {
  const parsed = arrived.safeParse(parseJson(body));
  return parsed.success ? JSON.stringify(parsed.data) : body;
}
