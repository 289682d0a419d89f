import { Elysia } from "elysia";
import { unknownBot } from "../bots/unknown-bot.ts";
import { ANSWER_MS, withDatabaseDeadline } from "../db/database-deadline.ts";
import { readJson } from "../platform/body.ts";
import { methodNotAllowed, problem } from "../platform/problem.ts";
import { TELEGRAM_PROVIDER } from "../telegram/sale.ts";
import { registerDetail, webhookDetail } from "./docs.ts";
import { registerSchema } from "./payment-input.ts";
import { registerPayment } from "./register.ts";
import { takeWebhook, tryAgain, type WebhookDeps } from "./webhook.ts";

const MAX_BODY_BYTES = 64 * 1024;

interface PaymentsDeps extends WebhookDeps {
  /** Checks the API key; a response where the request may not write. */
  readonly authorize: (request: Request) => Promise<Response | null>;
}

/** `POST /api/payments`, and the providers' webhooks, which refuse other methods themselves: all that comes is counted. */
export function paymentsPlugin(deps: PaymentsDeps) {
  return new Elysia({ name: "payments" })
    .post("/api/payments", ({ request }) => register(deps, request), {
      parse: "none",
      detail: registerDetail(),
    })
    .post(
      "/api/payments/webhooks/:provider",
      ({ request, params }) => takeWebhook(deps, request, params.provider),
      {
        parse: "none",
        detail: webhookDetail(),
      },
    )
    .all("/api/payments/webhooks/:provider", () => methodNotAllowed("POST"), { parse: "none" });
}

async function register(deps: PaymentsDeps, request: Request): Promise<Response> {
  const refusal = await deps.authorize(request);
  if (refusal) return refusal;
  const input = await readJson(request, {
    maxBytes: MAX_BODY_BYTES,
    schema: registerSchema,
    detail: "The payment is not understood; the errors say what is wrong.",
  });
  if (input.kind === "refused") return input.response();
  const { provider, provider_ref, bot } = input.value;
  // Not refused: its settings may follow before its money does. What is paid inside Telegram the bots confirm themselves.
  if (!deps.providers.has(provider) && provider !== TELEGRAM_PROVIDER) {
    deps.log.warn(
      { provider, todo: "look for a typo, or set the provider up; docs/payments.md names its settings" },
      "a payment was registered with a provider that is not set up, so that nothing can confirm it yet",
    );
  }
  try {
    const registered = await withDatabaseDeadline(deps.db, ANSWER_MS, registerPayment(deps, input.value));
    if (registered.kind === "unknown_bot") return unknownBot(bot ?? "");
    const { id, status } = registered.payment;
    if (registered.kind === "conflict") {
      return problem(409, {
        detail: `${provider} ${provider_ref} is payment ${id} already, with another amount or currency. Use another provider_ref.`,
      });
    }
    return Response.json({ id, status }, { status: registered.kind === "created" ? 201 : 200 });
  } catch (error) {
    return tryAgain(deps, error);
  }
}
