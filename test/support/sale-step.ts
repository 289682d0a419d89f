import { z } from "zod";
import type { Database } from "../../src/db/database.ts";
import { createConversation } from "../../src/funnel/conversation.ts";
import { funnelOnSettled } from "../../src/funnel/on-settled.ts";
import { telegramDestination } from "../../src/funnel/telegram-destination.ts";
import { takeUpdate } from "../../src/funnel/webhook.ts";
import { createDispatcher } from "../../src/outbox/dispatcher.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { createSales } from "../../src/payments/sales.ts";
import { createLog } from "../../src/platform/log.ts";
import { testSecrets } from "./outbox.ts";

export const WEBHOOK_SECRET = "secret-of-the-shop";

/** One thing that happens to a sale. */
export const saleStepSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("webhook"), providerRef: z.string() }),
  z.object({ kind: z.literal("update"), botId: z.int(), update: z.unknown() }),
  z.object({ kind: z.literal("delivery"), apiUrl: z.string() }),
]);
export type SaleStep = z.output<typeof saleStepSchema>;

/** Does it, as the process would. */
export async function happen(db: Database, step: SaleStep): Promise<void> {
  const now = () => new Date();
  const log = createLog("silent");
  const payments = {
    db,
    log,
    now,
    starsUsdMinorPerThousand: 1300,
    consentDenied: "drop" as const,
    trackingData: async () => null,
    providers: new Map(),
    publicUrl: undefined,
  };
  const sales = createSales(payments);
  switch (step.kind) {
    case "webhook": {
      const { providerRef } = step;
      const report = {
        provider: "generic",
        providerRef,
        event: { kind: "paid" },
        registration: null,
      } as const;
      await receiveReport(payments, report);
      return;
    }
    case "update": {
      const request = new Request("http://bridge.example.com/telegram", {
        method: "POST",
        headers: { "x-telegram-bot-api-secret-token": WEBHOOK_SECRET },
        body: JSON.stringify(step.update),
      });
      const { consentDenied } = payments;
      const recallVisit = async () => false;
      const deps = { db, log, now, sales, recallVisit, secrets: testSecrets, consentDenied };
      const { status } = await takeUpdate(deps, createConversation(), request, String(step.botId));
      if (status !== 200) throw new Error(`the update was answered ${status}`);
      return;
    }
    case "delivery": {
      const telegram = telegramDestination({ db, secrets: testSecrets, apiUrl: step.apiUrl, sales });
      const dispatcher = createDispatcher({
        db,
        log,
        adapters: { telegram },
        onSettled: funnelOnSettled({ db, now }),
      });
      await dispatcher.drain();
      return;
    }
  }
}
