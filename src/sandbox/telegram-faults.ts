import { z } from "zod";
import { pause, resetConnection } from "./connection.ts";
import { scheduleFields } from "./faults.ts";
import { refusalResponse } from "./telegram-answer.ts";
import { type Params, textParam } from "./telegram-params.ts";

/**
 * Body of `POST /telegram/faults`; `method` and `chat_id` limit the fault, `description` is what a 400 says, the rest
 * see `scheduleFields`.
 */
export const telegramFaultSchema = z.strictObject({
  mode: z.enum(["429", "403", "400", "500", "reset", "latency"]),
  ...scheduleFields,
  method: z.string().optional(),
  chat_id: z.union([z.string(), z.number()]).transform(String).optional(),
  retry_after: z.int().min(0).default(1),
  ms: z.int().min(0).max(600_000).default(1000),
  description: z.string().default("Bad Request: chat not found"),
});

/** A fault of the stand-in for Telegram, with its defaults filled in. */
export type TelegramFault = z.infer<typeof telegramFaultSchema>;

/** Is this call one the fault is meant for? */
export function appliesTo(fault: TelegramFault, method: string, params: Params): boolean {
  return (
    (fault.method === undefined || fault.method.toLowerCase() === method.toLowerCase()) &&
    (fault.chat_id === undefined || fault.chat_id === textParam(params, "chat_id"))
  );
}

/** The failure to answer, or `null` after a mere wait. */
export async function strikeCall(fault: TelegramFault): Promise<Response | null> {
  switch (fault.mode) {
    case "latency":
      await pause(fault.ms);
      return null;
    case "reset":
      return resetConnection();
    case "500":
      return refusalResponse(500, "Internal Server Error");
    case "403":
      return refusalResponse(403, "Forbidden: bot was blocked by the user");
    case "400":
      return refusalResponse(400, fault.description);
    case "429":
      return refusalResponse(429, `Too Many Requests: retry after ${fault.retry_after}`, fault.retry_after);
  }
}
