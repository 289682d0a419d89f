import { parseJson } from "../../platform/json.ts";
import { problemErrors } from "../../platform/problem.ts";
import { genericWebhookSchema, registerSchema } from "../payment-input.ts";
import type { PaymentProvider, WebhookReading } from "./adapter.ts";
import { timestampedSignatureFault } from "./signature.ts";

/**
 * Any system that can sign JSON: `X-Ponte-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.rawbody">`.
 * A webhook that carries amount and currency may create its payment and confirm it at once.
 */
export function genericProvider(secret: string, now: () => Date): PaymentProvider {
  return {
    name: "generic",
    async read({ bytes, text, headers }): Promise<WebhookReading> {
      const fault = timestampedSignatureFault(headers.get("x-ponte-signature"), bytes, secret, now());
      if (fault) return { kind: "forged", reason: fault };
      const body = parseJson(text);
      const parsed = genericWebhookSchema.safeParse(body);
      if (!parsed.success) {
        return body === undefined
          ? { kind: "malformed", reason: "The body is not valid JSON." }
          : {
              kind: "malformed",
              reason: "Send JSON with provider_ref and status.",
              errors: problemErrors(parsed.error.issues),
            };
      }
      const { status, amount_minor: amountMinor, currency, ...rest } = parsed.data;
      const { provider_ref, created_at, tracking_token, bot, telegram_user_id, customer, content } = rest;
      const details = { tracking_token, bot, telegram_user_id, customer, content };
      // Half of what names the buyer keeps nobody from being registered by the token.
      const isNamed = bot !== undefined && telegram_user_id !== undefined;
      const registration = registerSchema.safeParse({
        provider: "generic",
        provider_ref,
        amount_minor: amountMinor,
        currency,
        created_at,
        ...details,
        ...(!isNamed && { bot: undefined, telegram_user_id: undefined }),
      });
      return {
        kind: "event",
        providerRef: provider_ref,
        event:
          status === "paid" || status === "refunded"
            ? { kind: status, amountMinor, currency }
            : { kind: status },
        // What went back may be a part: it does not say for how much the sale was.
        registration: registration.success && status !== "refunded" ? registration.data : null,
        details,
      };
    },
  };
}
