import { ANSWER_MS, withDatabaseDeadline } from "../db/database-deadline.ts";
import { LARGEST_BODY_BYTES, readBody } from "../platform/body.ts";
import { type ProblemError, problem, serviceUnavailable } from "../platform/problem.ts";
import { urlOf } from "../platform/request-url.ts";
import type { ApplyDeps } from "./apply-event.ts";
import { findByReference, type Reference } from "./find-payment.ts";
import { providerRefSchema } from "./payment-input.ts";
import { type PaymentProvider, ProviderError, type WebhookReading } from "./providers/adapter.ts";
import { type ProviderReport, receiveReport } from "./receive-report.ts";
import { storedCheckout } from "./stored-checkout.ts";

export interface WebhookDeps extends ApplyDeps {
  readonly providers: ReadonlyMap<string, PaymentProvider>;
}

/** Takes a provider's webhook: whether it is genuine, what it means, and what it does. */
export async function takeWebhook(deps: WebhookDeps, request: Request, name: string): Promise<Response> {
  const provider = deps.providers.get(name);
  if (!provider) {
    deps.log.warn({ provider: name }, "a webhook came for a payment provider that is not set up");
    const detail = `The payment provider "${name}" is not set up here. Set its secrets (docs/payments.md), then send it again.`;
    return problem(404, { detail });
  }
  const body = await readBody(request, LARGEST_BODY_BYTES);
  if (body.kind === "refused") return body.response();
  let reading: WebhookReading;
  try {
    reading = await provider.read({
      bytes: body.bytes,
      text: body.text,
      headers: request.headers,
      query: urlOf(request).searchParams,
      isKnown: (providerRef, checkoutRef) => isKnown(deps, { provider: name, providerRef }, checkoutRef),
    });
  } catch (error) {
    if (!(error instanceof ProviderError)) return tryAgain(deps, error);
    deps.log.error({ error, provider: name }, "a webhook could not be checked with its provider");
    return problem(503, {
      detail: "The provider's API did not confirm it. Send it again.",
      headers: { "retry-after": String(error.retryAfterSeconds) },
    });
  }
  switch (reading.kind) {
    case "forged":
      deps.log.warn({ provider: name, reason: reading.reason }, "a webhook was refused");
      return problem(401, { detail: `The signature was not accepted: ${reading.reason}.` });
    case "malformed":
      return notUnderstood(deps, { ...reading, provider: name });
    case "ignored":
      return Response.json({ status: "ignored" });
    case "unknown":
      return unknownPayment(deps, { provider: name, providerRef: reading.providerRef });
    case "event":
      return act(deps, { ...reading, provider: name });
  }
}

async function isKnown(
  { db }: WebhookDeps,
  { provider, providerRef }: Reference,
  checkoutRef?: string,
): Promise<boolean> {
  const parsed = providerRefSchema.safeParse(providerRef);
  if (!parsed.success) return false;
  const reference = { provider, providerRef: parsed.data };
  const payment = await withDatabaseDeadline(db, ANSWER_MS, findByReference(db, db, reference));
  if (payment === undefined) return false;
  const checkout = storedCheckout(payment);
  return checkout === null || checkoutRef === undefined || checkout.providerRef === checkoutRef;
}

async function act(deps: WebhookDeps, said: ProviderReport): Promise<Response> {
  // As registering takes it: without spaces around it.
  const providerRef = providerRefSchema.safeParse(said.providerRef);
  if (!providerRef.success) {
    const reason = "The payment's reference is no text of 1 to 200 characters.";
    return notUnderstood(deps, { provider: said.provider, reason });
  }
  const report = { ...said, providerRef: providerRef.data };
  try {
    const received = await withDatabaseDeadline(deps.db, ANSWER_MS, receiveReport(deps, report));
    // The account also sells elsewhere, and the provider would repeat it for days.
    if (received.kind === "unknown" && report.isProvidersId) return Response.json({ status: "ignored" });
    if (received.kind === "unknown") return unknownPayment(deps, report);
    return Response.json({ id: received.paymentId, status: received.kind });
  } catch (error) {
    return tryAgain(deps, error);
  }
}

interface Misunderstanding {
  readonly provider: string;
  readonly reason: string;
  readonly errors?: readonly ProblemError[];
}

function notUnderstood({ log }: WebhookDeps, { provider, reason, errors = [] }: Misunderstanding): Response {
  log.warn(
    { provider, reason, errors },
    "a webhook was not understood; money that it tells of is not counted",
  );
  return problem(400, { detail: reason, errors });
}

function unknownPayment({ log }: WebhookDeps, { provider, providerRef }: Reference): Response {
  log.warn(
    { provider, providerRef },
    "a webhook is about a payment that nobody registered; it counts once it is, and the webhook comes again",
  );
  return problem(404, {
    detail: `No payment has the reference ${providerRef}, and the webhook does not carry enough to register it.`,
  });
}

/** It may not have been stored, so the sender keeps it and sends it again, which does no harm where it was. */
export function tryAgain({ log, db }: Pick<WebhookDeps, "log" | "db">, error: unknown): Response {
  log.error({ error, todo: db.advice(error) }, "a payment could not be stored");
  return serviceUnavailable("It may not have been stored. Send it again in a moment; twice does no harm.");
}
