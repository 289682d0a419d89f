import { genericWebhook } from "../support/generic-webhook.ts";
import { type Ledger, tally } from "./ledger.ts";
import { send } from "./send.ts";

export const GENERIC_SECRET = "fault-suite-webhook-secret";

/** Webhooks that it sends at once. */
const SENDERS = 4;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 320;

interface Paid {
  readonly token: string;
  readonly amountMinor: number;
}

/** A payment provider: it sends the webhook of a payment again and again until it is acknowledged. */
export function startProvider(options: { readonly ledger: Ledger; readonly address: () => string | null }) {
  const { ledger, address } = options;
  const waiting: Paid[] = [];
  const senders = new Set<Promise<void>>();

  async function sendWaiting(): Promise<void> {
    for (let paid = waiting.shift(); paid; paid = waiting.shift()) await sendUntilAcknowledged(paid);
  }

  async function sendUntilAcknowledged(paid: Paid): Promise<void> {
    const sentAtMs = Date.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      const url = address();
      const answer = url === null ? null : tally(ledger, "payment", await send(...webhook(url, paid)));
      if (answer?.status === 200) {
        const { id } = JSON.parse(answer.text);
        ledger.payments.push({ id: String(id), ...paid, sentAtMs, answeredAtMs: Date.now() });
        return;
      }
      if (answer) ledger.wrong.push(`payment: ${answer.status} ${answer.text}`);
      await Bun.sleep(pauseMs);
    }
  }

  return {
    buy(token: string, amountMinor: number): void {
      waiting.push({ token, amountMinor });
      if (senders.size >= SENDERS) return;
      const sender: Promise<void> = sendWaiting().finally(() => senders.delete(sender));
      senders.add(sender);
    },
    /** Resolves when every payment is acknowledged. */
    async drained(): Promise<void> {
      await Promise.all(senders);
    },
  };
}

function webhook(url: string, { token, amountMinor }: Paid): [string, RequestInit] {
  const report = {
    provider_ref: `order-${token}`,
    status: "paid",
    amount_minor: amountMinor,
    currency: "BRL",
    tracking_token: token,
  };
  return [`${url}/api/payments/webhooks/generic`, genericWebhook(GENERIC_SECRET, report)];
}
