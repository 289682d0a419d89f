import { expect } from "bun:test";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import type { RunningSandbox } from "../../src/sandbox/app.ts";
import type { AcknowledgedPayment, AcknowledgedVisit, Ledger } from "./ledger.ts";

/** What the oracle found; the lists must be empty. */
export interface Findings {
  readonly ledger: Ledger;
  readonly delivered: number;
  /** Copies of an event that Meta drops by its id. */
  readonly copies: number;
  readonly missing: readonly string[];
  /** Events that were given up: dead, expired or discarded, with the reason. */
  readonly lost: readonly string[];
  readonly different: readonly string[];
}

/** All that was promised arrived as it should, and nobody was answered what no client should ever see. */
export function expectAllKept({ missing, different, lost, ledger: { wrong } }: Findings): void {
  expect({ missing, different, lost, wrong }).toEqual({ missing: [], different: [], lost: [], wrong: [] });
}

interface Received {
  readonly pixelId: string;
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

/** Holds what clients were promised against what Meta received. `pixelOf` names the pixel of a pool. */
export async function audit(
  ledger: Ledger,
  sandbox: RunningSandbox,
  db: Database,
  pixelOf: (slug: string) => string,
): Promise<Findings> {
  const byId = new Map<string, Received[]>();
  let delivered = 0;
  for (const { event, pixel_id } of sandbox.events.list()) {
    delivered++;
    // The sandbox has checked the form of what it kept.
    const received: Received = { ...JSON.parse(JSON.stringify(event)), pixelId: pixel_id };
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
  for (const visit of ledger.visits) {
    check(`evt_${visit.token}`, (event) => pageViewFault(event, visit, pixelOf(visit.slug)));
  }
  const visits = new Map(ledger.visits.map((visit) => [visit.token, visit]));
  for (const payment of ledger.payments) {
    const visit = visits.get(payment.token);
    const whose = visit && { fbclid: visit.fbclid, pixelId: pixelOf(visit.slug) };
    check(`purchase_${payment.id}`, (event) => purchaseFault(event, payment, whose));
  }
  const own = await ownEventIds(db);
  for (const id of byId.keys()) if (!own.has(id)) different.push(`${id}: is no visit's and no payment's`);
  different.push(...(await cookieFaults(ledger, db)));
  return { ledger, delivered, copies: delivered - byId.size, missing, different, lost: await givenUp(db) };
}

/** The one id that each visit and each payment may report under. */
async function ownEventIds({ tables: { sessions, payments }, ...db }: Database): Promise<Set<string>> {
  const visits = await db.select({ token: sessions.trackingToken }).from(sessions);
  const paid = await db.select({ id: payments.id }).from(payments);
  return new Set([...visits.map(({ token }) => `evt_${token}`), ...paid.map(({ id }) => `purchase_${id}`)]);
}

/** Cookies that were acknowledged, and that their visit does not have. One that only the log holds is a stranger's. */
async function cookieFaults({ cookies }: Ledger, { tables, ...db }: Database): Promise<string[]> {
  const { sessions } = tables;
  const rows = await db.select({ token: sessions.trackingToken, fbp: sessions.fbp }).from(sessions);
  const known = new Map(rows.map(({ token, fbp }) => [token, fbp]));
  return cookies
    .filter(({ token, fbp }) => known.has(token) && known.get(token) !== fbp)
    .map(({ token, fbp }) => `the visit ${token} has fbp ${known.get(token)}, not ${fbp}`);
}

async function givenUp(db: Database): Promise<string[]> {
  const rows = await db.rows<{ event_id: string; status: string; last_error: string | null }>(
    sql`select event_id, status, last_error from outbox where status not in ('pending', 'sending', 'delivered')`,
  );
  return rows.map(({ event_id, status, last_error }) => `${event_id} is ${status}: ${last_error}`);
}

function pageViewFault(event: Received, visit: AcknowledgedVisit, pixelId: string): string | null {
  const { user_data, custom_data } = event;
  if (event.event_name !== "PageView") return `is a ${event.event_name}`;
  if (event.pixelId !== pixelId) return `went to pixel ${event.pixelId}`;
  if (!isDuring(event, visit)) return `event_time ${event.event_time} is not when the visitor came`;
  if (!user_data.fbc?.endsWith(`.${visit.fbclid}`)) return `fbc ${user_data.fbc} is not of ${visit.fbclid}`;
  if (!event.event_source_url?.includes(`fbclid=${visit.fbclid}&`))
    return `came from ${event.event_source_url}`;
  if (custom_data.utm_campaign !== visit.campaign) return `campaign ${custom_data.utm_campaign}`;
  return null;
}

function purchaseFault(
  event: Received,
  payment: AcknowledgedPayment,
  whose: { readonly fbclid: string; readonly pixelId: string } | undefined,
): string | null {
  const { value, currency } = event.custom_data;
  const { fbc } = event.user_data;
  if (whose === undefined) return "is of a visit that nobody made";
  if (event.pixelId !== whose.pixelId) return `went to pixel ${event.pixelId}`;
  if (!fbc?.endsWith(`.${whose.fbclid}`)) return `fbc ${fbc} is not of ${whose.fbclid}`;
  if (event.event_name !== "Purchase") return `is a ${event.event_name}`;
  if (!isDuring(event, payment)) return `event_time ${event.event_time} is not when it was paid`;
  return value === payment.amountMinor / 100 && currency === "BRL" ? null : `${value} ${currency}`;
}

/** How far a busy process may reckon the database's clock behind (see `createClock`); no event is later than that clock. */
const BEHIND_MS = 1_000;

/** Event times are whole seconds. */
function isDuring(
  { event_time }: Received,
  { sentAtMs, answeredAtMs }: AcknowledgedVisit | AcknowledgedPayment,
): boolean {
  return (
    event_time >= Math.floor((sentAtMs - BEHIND_MS) / 1000) && event_time <= Math.floor(answeredAtMs / 1000)
  );
}
