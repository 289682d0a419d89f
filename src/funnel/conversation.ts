import { type ChatTypeContext, type CommandContext, Composer, type Filter } from "grammy";
import type { RefundedPayment, SuccessfulPayment } from "grammy/types";
import { isId } from "../platform/ids.ts";
import { readButton } from "../telegram/messages.ts";
import { OfferGoneError, type TelegramCharge } from "../telegram/sale.ts";
import { type Texts, textsFor } from "../telegram/texts.ts";
import { nameIfVisitCame } from "../tracking/name-visits.ts";
import { isInvoiceOpen } from "./invoice.ts";
import { findOffer, sell, showOffer, welcome } from "./offers.ts";
import { type FunnelContext, personOf } from "./turn.ts";
import { markReachable, markUnreachable } from "./unreachable.ts";

/**
 * What a bot answers to what. Everything that is sent goes through the outbox; only the two queries that Telegram
 * wants answered at once are, in the webhook's own answer. Every other update passes by.
 */
export function createConversation(): Composer<FunnelContext> {
  const conversation = new Composer<FunnelContext>();
  // With text only: grammy looks for commands wherever entities are, and falls over those of a kind that has no text.
  conversation.chatType("private").on([":text", ":caption"]).command("start", onStart);
  conversation.on("my_chat_member", onMembership);
  conversation.on("callback_query:data", onButton);
  conversation.on("pre_checkout_query", onPreCheckout);
  conversation.on("message:successful_payment", onPaid);
  conversation.on("message:refunded_payment", onRefunded);
  return conversation;
}

async function onStart(ctx: CommandContext<ChatTypeContext<FunnelContext, "private">>): Promise<void> {
  const { turn, from } = ctx;
  if (from === undefined) return;
  const token = ctx.match.trim() || null;
  if (token !== null) await turn.deps.recallVisit(token);
  await turn.once((tx) => welcome(turn, tx, personOf(from), token));
  if (token !== null) await nameIfVisitCame(turn.deps.db, token);
}

async function onMembership(ctx: Filter<FunnelContext, "my_chat_member">): Promise<void> {
  const { turn } = ctx;
  const { db } = turn.deps;
  if (ctx.chat.type !== "private") return;
  const person = { botId: turn.bot.id, telegramUserId: String(ctx.myChatMember.from.id) };
  const isBlocked = ctx.myChatMember.new_chat_member.status === "kicked";
  await turn.once((tx) =>
    isBlocked ? markUnreachable(tx, db.tables, person, turn.now) : markReachable(tx, db, person, turn.now),
  );
}

async function onButton(ctx: Filter<FunnelContext, "callback_query:data">): Promise<void> {
  const { turn, from } = ctx;
  const { db } = turn.deps;
  const button = readButton(ctx.callbackQuery.data);
  const offer = button && (await findOffer(db, db.tables, turn.bot.id, button.offerId));
  if (!button || !offer) return answerGone(ctx);
  const act = button.kind === "offer" ? showOffer : sell;
  try {
    await turn.once((tx) => act(turn, tx, personOf(from), offer));
  } catch (error) {
    if (error instanceof OfferGoneError) return answerGone(ctx);
    throw error;
  }
  await ctx.answerCallbackQuery();
}

async function answerGone(ctx: Filter<FunnelContext, "callback_query:data">): Promise<void> {
  await ctx.answerCallbackQuery({ text: textsOf(ctx).offerGone });
}

/** Asked again with every copy: nothing is written, and Telegram waits ten seconds for the answer. */
async function onPreCheckout(ctx: Filter<FunnelContext, "pre_checkout_query">): Promise<void> {
  const { turn, from, preCheckoutQuery: query } = ctx;
  const { db } = turn.deps;
  const isOpen = await isInvoiceOpen(db, db.tables, {
    botId: turn.bot.id,
    telegramUserId: String(from.id),
    payload: query.invoice_payload,
    amountMinor: query.total_amount,
    currency: query.currency,
  });
  if (isOpen) {
    await ctx.answerPreCheckoutQuery(true);
    return;
  }
  await ctx.answerPreCheckoutQuery(false, { error_message: textsOf(ctx).invoiceClosed });
}

async function onPaid(ctx: Filter<FunnelContext, "message:successful_payment">): Promise<void> {
  const { turn } = ctx;
  const charge = chargeOf(ctx, ctx.message.successful_payment);
  if (charge === null) return;
  const confirm = await turn.deps.sales.prepareConfirmation(charge);
  await turn.once(confirm);
  await turn.deps.sales.afterConfirmation(charge.paymentId);
}

async function onRefunded(ctx: Filter<FunnelContext, "message:refunded_payment">): Promise<void> {
  const { turn } = ctx;
  const charge = chargeOf(ctx, ctx.message.refunded_payment);
  if (charge !== null) await turn.once((tx) => turn.deps.sales.refundPayment(tx, charge));
}

function textsOf({ turn, from }: FunnelContext): Texts {
  return textsFor(turn.bot.locale ?? from?.language_code ?? null);
}

/** Null, and loudly so, for money that no invoice of ours asked for. */
function chargeOf({ turn }: FunnelContext, paid: SuccessfulPayment | RefundedPayment): TelegramCharge | null {
  const { invoice_payload: paymentId, telegram_payment_charge_id: chargeId } = paid;
  if (!isId(paymentId)) {
    const { deps, bot } = turn;
    deps.log.error({ bot: bot.username, chargeId }, "Telegram reports money for an invoice that is not ours");
    return null;
  }
  return { paymentId, botId: turn.bot.id, chargeId, amountMinor: paid.total_amount, currency: paid.currency };
}
