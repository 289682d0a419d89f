import { eq } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { PaymentFacts, SellingBot } from "../meta/payment-facts.ts";
import type { PoolRow } from "../pools/find-pool-of.ts";
import type { BotUser } from "../tracking/find-session.ts";
import type { Payment, PaymentDeps } from "./payment.ts";

/** What Meta is told of a payment, out of its row. */
export function paymentFacts(payment: Payment): PaymentFacts {
  return {
    id: payment.id,
    providerRef: payment.providerRef,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    customerUserId: payment.customerUserId,
    customer: payment.customer,
    content: payment.content,
    createdAt: payment.createdAt,
    paidAt: payment.paidAt,
  };
}

/** Who sold: the bot user's id, and the pool's link, else the bot's, as the event's source where no visit is known. */
export async function sellingBot(
  deps: PaymentDeps,
  reader: Reader,
  payment: Pick<Payment, "botId">,
  botUser: BotUser | null,
  pool: Pick<PoolRow, "slug">,
): Promise<SellingBot> {
  const { bots } = deps.db.tables;
  const [bot] =
    payment.botId === null
      ? []
      : await reader.select({ username: bots.username }).from(bots).where(eq(bots.id, payment.botId));
  const botUrl = bot ? `https://t.me/${bot.username}` : "https://t.me/";
  return {
    userId: botUser?.telegramUserId ?? null,
    fallbackUrl: deps.publicUrl === undefined ? botUrl : `${deps.publicUrl}/go/${pool.slug}`,
    starsUsdMinorPerThousand: deps.starsUsdMinorPerThousand,
  };
}
