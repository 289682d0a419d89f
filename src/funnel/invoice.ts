import { eq } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { isId } from "../platform/ids.ts";
import { TELEGRAM_PROVIDER } from "../telegram/sale.ts";

/** What Telegram asks about before it takes somebody's money. */
interface InvoiceQuery {
  readonly botId: number;
  readonly telegramUserId: string;
  /** The payload that our invoice carried: a payment's id. */
  readonly payload: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/**
 * Whether the invoice may be paid: its payment still waits, for this very amount, in this bot, from this person (an
 * invoice can be forwarded, and what it buys goes to whom it was made for).
 */
export async function isInvoiceOpen(reader: Reader, tables: Tables, query: InvoiceQuery): Promise<boolean> {
  if (!isId(query.payload)) return false;
  const { payments, botUsers } = tables;
  const [row] = await reader
    .select({ payment: payments, telegramUserId: botUsers.telegramUserId })
    .from(payments)
    .innerJoin(botUsers, eq(botUsers.id, payments.botUserId))
    .where(eq(payments.id, query.payload));
  return (
    row !== undefined &&
    row.payment.provider === TELEGRAM_PROVIDER &&
    row.payment.status === "pending" &&
    row.payment.amountMinor === query.amountMinor &&
    row.payment.currency === query.currency &&
    row.payment.botId === query.botId &&
    row.telegramUserId === query.telegramUserId
  );
}
