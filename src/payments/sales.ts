import { eq } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Sale, TelegramCharge, Unpayable } from "../telegram/sale.ts";
import type { ApplyDeps } from "./apply-event.ts";
import { beginCheckout } from "./begin-checkout.ts";
import { type CheckoutDeps, checkoutOf } from "./checkout.ts";
import { type Checkout, ProviderError } from "./providers/adapter.ts";
import { redisCopyOf } from "./redis-copy.ts";
import { reportIfVisitCame } from "./report-purchase.ts";
import { confirmTelegramPayment, refundTelegramPayment } from "./telegram-payments.ts";

/** What selling in a chat works with. */
export interface SalesDeps extends ApplyDeps, CheckoutDeps {}

/** What a bot's conversation asks of payments, with everything bound that they need. */
export function createSales(deps: SalesDeps) {
  return {
    beginCheckout: (tx: Tx, sale: Sale) => beginCheckout(deps, tx, sale),
    async checkoutOf(paymentId: string): Promise<Checkout | Unpayable> {
      try {
        return await checkoutOf(deps, paymentId);
      } catch (error) {
        if (!(error instanceof ProviderError && error.isPermanent)) throw error;
        return { kind: "unpayable", reason: error.message };
      }
    },
    /** Asks Redis what it knows before the transaction: nothing inside one may wait for it. */
    async prepareConfirmation(charge: TelegramCharge): Promise<(tx: Tx) => Promise<void>> {
      const { payments } = deps.db.tables;
      const [payment] = await deps.db
        .select({ trackingToken: payments.trackingToken, botUserId: payments.botUserId })
        .from(payments)
        .where(eq(payments.id, charge.paymentId));
      const redisCopy = payment ? await redisCopyOf(deps, payment) : null;
      return async (tx) => {
        await confirmTelegramPayment(deps, tx, charge, redisCopy);
      };
    },
    afterConfirmation: (paymentId: string) => reportIfVisitCame(deps, paymentId),
    async refundPayment(tx: Tx, charge: TelegramCharge): Promise<void> {
      await refundTelegramPayment(deps, tx, charge);
    },
  };
}
