import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import type { RunningSandbox } from "../../src/sandbox/app.ts";
import type { AcknowledgedPayment, AcknowledgedVisit, Ledger } from "./load.ts";

/** What the oracle found; every list but `duplicates` must be empty. */
export interface Findings {
  readonly visits: number;
  readonly payments: number;
  readonly delivered: number;
  /** Copies of an event that Meta drops by its id. */
  readonly duplicates: number;
  readonly missing: readonly string[];
  readonly different: readonly string[];
}

interface Received {
  readonly event_name: string;
  readonly event_time: number;
  readonly event_id: string;
  readonly event_source_url?: string;
  readonly user_data: { readonly fbc?: string; readonly fbp?: string };
  readonly custom_data: {
    readonly utm_campaign?: string;
    readonly value?: number;
    readonly currency?: string;
  };
}

/** Resolves when nothing waits any more. Rows that back off are not waited for: their time passes at once. */
export async function untilDrained(db: Database): Promise<void> {
  const { now, plusMs } = db.dialect;
  for (;;) {
    const [left] = await db.rows<{ n: number | string }>(
      sql`select count(*) as n from outbox where status in ('pending', 'sending')`,
    );
    if (Number(left?.n) === 0) return;
    await db.transaction(async (tx) => {
      const due = plusMs(now, -1);
      await tx.rows(
        sql`update outbox set available_at = ${due} where status = 'pending' and available_at > ${now} returning id`,
      );
      await tx.rows(
        sql`update outbox_routes set throttled_until = null, open_until = null where throttled_until > ${now} or open_until > ${now} returning id`,
      );
    });
    await Bun.sleep(100);
  }
}

/** Holds what clients were promised against what Meta received. */
export function audit(ledger: Ledger, sandbox: RunningSandbox): Findings {
  const byId = new Map<string, Received[]>();
  let delivered = 0;
  for (const { event } of sandbox.events.list()) {
    delivered++;
    // The sandbox has checked the form of what it kept.
    const received: Received = JSON.parse(JSON.stringify(event));
    byId.set(received.event_id, [...(byId.get(received.event_id) ?? []), received]);
  }
  const missing: string[] = [];
  const different: string[] = [];
  const check = (id: string, faultOf: (event: Received) => string | null) => {
    const copies = byId.get(id);
    if (!copies) missing.push(id);
    for (const copy of copies ?? []) {
      const fault = faultOf(copy);
      if (fault) different.push(`${id}: ${fault}`);
    }
  };
  for (const visit of ledger.visits) check(`evt_${visit.token}`, (event) => pageViewFault(event, visit));
  for (const payment of ledger.payments) {
    check(`purchase_${payment.id}`, (event) => purchaseFault(event, payment));
  }
  return {
    visits: ledger.visits.length,
    payments: ledger.payments.length,
    delivered,
    duplicates: delivered - byId.size,
    missing,
    different,
  };
}

function pageViewFault(event: Received, visit: AcknowledgedVisit): string | null {
  const { user_data, custom_data } = event;
  const seconds = (ms: number) => Math.floor(ms / 1000);
  if (event.event_name !== "PageView") return `is a ${event.event_name}`;
  if (event.event_time < seconds(visit.sentAtMs) || event.event_time > seconds(visit.answeredAtMs)) {
    return `event_time ${event.event_time} is not when the visitor came`;
  }
  if (!user_data.fbc?.endsWith(`.${visit.fbclid}`)) return `fbc ${user_data.fbc} is not of ${visit.fbclid}`;
  if (!event.event_source_url?.includes(`fbclid=${visit.fbclid}&`))
    return `came from ${event.event_source_url}`;
  if (custom_data.utm_campaign !== visit.campaign) return `campaign ${custom_data.utm_campaign}`;
  return null;
}

function purchaseFault(event: Received, payment: AcknowledgedPayment): string | null {
  const { value, currency } = event.custom_data;
  if (event.event_name !== "Purchase") return `is a ${event.event_name}`;
  return value === payment.amountMinor / 100 && currency === "BRL" ? null : `${value} ${currency}`;
}
