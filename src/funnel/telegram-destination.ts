import { eq } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { MOOT_WHEN, type PaymentStatus } from "../db/vocabulary.ts";
import { TELEGRAM_STARS } from "../money/currencies.ts";
import type { Answer, ClaimedRow, DestinationAdapter, Sent, Verdict } from "../outbox/destination.ts";
import { REQUEST_TIMEOUT_MS } from "../outbox/lease.ts";
import { DAY_MS } from "../platform/durations.ts";
import { errorText } from "../platform/errors.ts";
import type { Secrets } from "../platform/secrets.ts";
import { type BotApiAnswer, callBotApi } from "../telegram/call.ts";
import { checkoutMessage, type SendPhoto } from "../telegram/checkout-message.ts";
import { type CallOutcome, outcomeOfCall } from "../telegram/outcome.ts";
import { withoutPerson } from "../telegram/without-person.ts";
import { type BotTokens, lookUpTokens } from "./bot-tokens.ts";
import { CHAT_LIMITED, chatBackOffMs, rateLimitScope } from "./chat-rate-limit.ts";
import { botOfRoute, type CheckoutCall, type MethodCall, readOutgoing } from "./outgoing.ts";
import type { Sales } from "./sales.ts";
import { UNREACHABLE } from "./unreachable.ts";

/** An answer in a chat is worth nothing a day later. What was bought is delivered however late. */
const ANSWER_WORTH_MS = DAY_MS;

interface TelegramDestinationDeps {
  readonly db: Database;
  readonly secrets: Secrets;
  /** e.g. `https://api.telegram.org`. */
  readonly apiUrl: string;
  readonly sales: Pick<Sales, "checkoutOf">;
  readonly timeoutMs?: number;
}

/**
 * Sends messages, invoices and checkouts through the Bot API, one a request: Telegram takes no more at once.
 *
 * Each message goes at least once, and Telegram has no key by which it would know a repeated one. A person sees a
 * message twice only where it arrived and we could not know: the connection broke or timed out before Telegram's
 * answer, or this process died (or lost its database for longer than a lease) between the answer and its commit.
 * Each such event makes at most one copy more, and the copy follows within the back-off or `LEASE_MS`;
 * without such an event there is exactly one.
 */
export function telegramDestination(deps: TelegramDestinationDeps): DestinationAdapter {
  return {
    maxBatch: 1,
    isExpired: ({ eventName, createdAtMs }, now) =>
      eventName !== "delivery" && now.getTime() - createdAtMs > ANSWER_WORTH_MS,
    async send(route, [row], signal) {
      if (!row) return unsent({ kind: "delivered", note: null, pauseMs: null });
      const botId = botOfRoute(route);
      const tokens = await lookUpTokens(deps, botId);
      if (tokens.kind === "missing") return unsent({ kind: "credential", reason: tokens.reason });
      const waitMs = await chatBackOffMs(deps.db, row);
      if (waitMs > 0) {
        return unsent({ kind: "early", reason: `${CHAT_LIMITED}an earlier message waits`, afterMs: waitMs });
      }
      const call = await callOf(deps, row);
      if (call.kind === "unsent") return unsent(call.verdict);
      const sent = await callTelegram(deps, tokens, call.message, signal);
      const { verdict } = sent;
      if (verdict.kind === "throttled") {
        const whose = await rateLimitScope(deps.db, route, row);
        return { ...sent, verdict: { ...verdict, whose, reason: `${CHAT_LIMITED}${verdict.reason}` } };
      }
      if (verdict.kind !== "credential") return sent;
      const again = await lookUpTokens(deps, botId);
      const isOutdated =
        again.kind === "found" &&
        (again.token !== tokens.token || again.paymentToken !== tokens.paymentToken);
      if (!isOutdated) return sent;
      const reason = `the token was changed while it was refused: ${verdict.reason}`;
      return { ...sent, verdict: { kind: "outdated", reason } };
    },
  };
}

function unsent(verdict: Verdict): Sent {
  return { verdict, answer: null };
}

interface Call {
  readonly kind: "call";
  readonly message: MethodCall | SendPhoto;
}
interface Unsent {
  readonly kind: "unsent";
  readonly verdict: Verdict;
}

/** What Telegram is to be asked; a checkout is made at its provider now. */
async function callOf(deps: TelegramDestinationDeps, row: ClaimedRow): Promise<Call | Unsent> {
  const outgoing = readOutgoing(row.payload);
  if (outgoing === null) {
    return {
      kind: "unsent",
      verdict: { kind: "invalid", reason: "not sent: no message of ours", as: "dead" },
    };
  }
  const overtaken = overtakenBy(row.eventName, await paymentStatusOf(deps, row));
  if (overtaken !== null) return { kind: "unsent", verdict: overtaken };
  return outgoing.method === "checkout"
    ? checkoutCallOf(deps, outgoing)
    : { kind: "call", message: outgoing };
}

async function paymentStatusOf({ db }: TelegramDestinationDeps, { paymentId }: ClaimedRow) {
  if (paymentId === null) return null;
  const { payments } = db.tables;
  const [payment] = await db
    .select({ status: payments.status })
    .from(payments)
    .where(eq(payments.id, paymentId));
  return payment?.status ?? null;
}

/**
 * What became of the payment while its message waited, where that takes the message's sense away: nobody is asked to pay
 * twice (a second "buy" that waited out an outage), and what was paid back is not delivered. A refund discards what waits;
 * this holds back what was on its way then, and failed.
 */
function overtakenBy(eventName: string, status: PaymentStatus | null): Verdict | null {
  if (status === null || !MOOT_WHEN[eventName]?.includes(status)) return null;
  const why = eventName === "delivery" ? "the money went back before" : `the payment is ${status} already`;
  return { kind: "invalid", reason: `not sent: ${why}`, as: "discarded" };
}

async function checkoutCallOf(
  { db, sales }: TelegramDestinationDeps,
  { payment_id, chat_id, language }: CheckoutCall,
): Promise<Call | Unsent> {
  const { payments, offers } = db.tables;
  const [sale] = await db
    .select({ name: offers.name, priceMinor: payments.amountMinor, currency: payments.currency })
    .from(payments)
    .innerJoin(offers, eq(offers.id, payments.offerId))
    .where(eq(payments.id, payment_id));
  if (!sale) return { kind: "unsent", verdict: unpayable(`payment ${payment_id} or its offer is gone`) };
  try {
    const checkout = await sales.checkoutOf(payment_id);
    if (checkout.kind === "unpayable") return { kind: "unsent", verdict: unpayable(checkout.reason) };
    return { kind: "call", message: checkoutMessage(chat_id, sale, checkout, language) };
  } catch (error) {
    const reason = `no checkout from the payment provider: ${errorText(error)}`;
    return { kind: "unsent", verdict: { kind: "transient", reason, afterMs: null } };
  }
}

function unpayable(reason: string): Verdict {
  return { kind: "invalid", reason: `cannot be paid: ${reason}`, as: "dead", because: "unpayable" };
}

async function callTelegram(
  { apiUrl, timeoutMs = REQUEST_TIMEOUT_MS }: TelegramDestinationDeps,
  { token, paymentToken }: BotTokens,
  message: MethodCall | SendPhoto,
  signal: AbortSignal,
): Promise<Sent> {
  const { method, body } = message;
  const needsProvider = needsPaymentToken(message);
  if (needsProvider && paymentToken === null) {
    const reason =
      "An invoice in money needs the payment token that @BotFather gave the bot. Set it: ponte bot update <username> --payment-token …";
    return unsent({ kind: "credential", reason });
  }
  const answer = await callBotApi(
    {
      apiUrl,
      token,
      method,
      body: needsProvider ? { ...body, provider_token: paymentToken } : body,
      ...(message.method === "sendPhoto" && {
        upload: { name: "photo", fileName: "pix.png", bytes: message.photo },
      }),
      timeoutMs,
      signal,
    },
    paymentToken === null ? [] : [paymentToken],
  );
  const outcome = outcomeOfCall(answer);
  return { verdict: verdictOf(outcome, message), answer: answerOf(answer, outcome) };
}

/** Of invoices those in money: Stars need nobody else. */
function needsPaymentToken({ method, body }: MethodCall | SendPhoto): boolean {
  return method === "sendInvoice" && body.currency !== TELEGRAM_STARS;
}

/** What the dispatcher does about it. */
function verdictOf(outcome: CallOutcome, message: MethodCall | SendPhoto): Verdict {
  switch (outcome.kind) {
    case "delivered":
      return { kind: "delivered", note: null, pauseMs: null };
    case "transient":
      return { kind: "transient", reason: outcome.reason, afterMs: null };
    case "throttled":
      return { kind: "throttled", whose: "account", reason: outcome.reason, afterMs: outcome.afterMs };
    case "credential":
      // Stars go by the bot's own lane: a token that they do not need must not hold up everything else.
      if (outcome.of === "payment token" && !needsPaymentToken(message)) return unpayable(outcome.reason);
      return {
        kind: "credential",
        reason: `Telegram refuses the bot's ${outcome.of} (${outcome.reason}). Set a good one: ponte bot update <username> --${outcome.of.replace(" ", "-")} …`,
      };
    case "unreachable":
      return {
        kind: "invalid",
        reason: `${UNREACHABLE}${outcome.reason}`,
        as: "dead",
        because: "unreachable",
      };
    case "refused":
      // Of an invoice it is the offer: a currency or a price that Telegram does not take.
      return message.method === "sendInvoice"
        ? unpayable(outcome.reason)
        : { kind: "invalid", reason: outcome.reason, as: "dead", isUnexplained: true };
  }
}

function answerOf(answer: BotApiAnswer, outcome: CallOutcome): Answer {
  return {
    status: answer.kind === "answered" ? answer.status : null,
    code: outcome.kind === "delivered" ? null : outcome.code,
    subcode: null,
    fbtraceId: null,
    durationMs: answer.durationMs,
    response: answer.kind === "answered" ? withoutPerson(answer.body) : answer.error,
  };
}
