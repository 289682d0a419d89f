import { and, eq, gt } from "drizzle-orm";
import { recordAudit, viewChanges } from "../audit/audit-log.ts";
import { lockBotRow } from "../bots/bot-view.ts";
import type { Database, Reader, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { isReferenced } from "../db/is-referenced.ts";
import { nextUpdatedAt, type Overtaken } from "../db/next-updated-at.ts";
import { TELEGRAM_STARS } from "../money/currencies.ts";
import { changedOf } from "../platform/changed-of.ts";
import { type Invalid, type Issue, invalid } from "../platform/parse-input.ts";
import { TELEGRAM_PROVIDER } from "../telegram/sale.ts";
import { LARGEST_POSITION, type OfferChange, type OfferDraft } from "./offer-rules.ts";
import { findOfferView, type OfferView } from "./offer-view.ts";
import { payableIssue } from "./payable.ts";

/** What managing offers works with. */
export interface OfferDeps {
  readonly db: Database;
  readonly now: () => Date;
}

/** What became of a draft. */
export type CreateOfferResult = { readonly kind: "created"; readonly offer: OfferView } | Invalid;

/** What became of a change. */
export type UpdateOfferResult =
  | { readonly kind: "updated" | "unchanged"; readonly offer: OfferView }
  | { readonly kind: "not_found" }
  | Invalid;

/** An offer as an editor saw it. */
type SeenOffer = Pick<OfferView, "id" | "updated_at">;

/** What became of a removal. */
export type DeleteOfferResult =
  | { readonly kind: "deleted" }
  | { readonly kind: "not_found" }
  /** It was looked at or bought: disable it instead. */
  | { readonly kind: "in_use" };

/**
 * Makes an offer. Without a place of its own it stands after the bot's others. A form, which may be sent twice, says
 * which offer was the newest (`newestOffer`) when it was opened: the same offer of the bot that was made since is its own.
 */
export async function createOffer(
  { db, now }: OfferDeps,
  actor: string,
  draft: OfferDraft,
  newest?: number,
): Promise<CreateOfferResult> {
  const { tables } = db;
  const provider = draft.provider ?? (draft.currency === TELEGRAM_STARS ? TELEGRAM_PROVIDER : undefined);
  if (provider === undefined) return invalid("provider", "say who takes the money, such as mercadopago");
  const issue = payableIssue({ provider, priceMinor: draft.price_minor, currency: draft.currency });
  if (issue) return { kind: "invalid", issues: [issue] };
  return db.transaction(async (tx) => {
    const bot = await lockBotRow(tx, db, draft.bot);
    if (bot === undefined) return invalid("bot", "there is no bot of this name; add it first");
    const since = newest === undefined ? null : { botId: bot.id, newest };
    const same = since && (await findSame(tx, tables, since, { ...draft, provider }));
    if (same) return { kind: "created", offer: same };
    const at = await nextUpdatedAt(tx, tables, now());
    const [row] = await tx
      .insert(tables.offers)
      .values({
        ...offerColumns(draft),
        botId: bot.id,
        name: draft.name,
        description: draft.description,
        priceMinor: draft.price_minor,
        currency: draft.currency,
        delivery: draft.delivery,
        provider,
        position: draft.position ?? (await placeAtEnd(tx, tables, bot.id)),
        createdAt: at,
        updatedAt: at,
      })
      .returning({ id: tables.offers.id });
    const offer = await writtenOffer(tx, tables, row?.id ?? 0);
    const subject = `offer:${offer.id}`;
    await recordAudit(tx, tables, { at, actor, action: "offer.create", subject, after: offer });
    return { kind: "created", offer };
  });
}

/** Changes what `change` names. Payments that were begun keep their price. */
export function updateOffer(
  deps: OfferDeps,
  actor: string,
  id: number,
  change: OfferChange,
): Promise<UpdateOfferResult>;
/** The same for an editor who saw the offer like that: a later version is not written over. */
export function updateOffer(
  deps: OfferDeps,
  actor: string,
  seen: SeenOffer,
  change: OfferChange,
): Promise<UpdateOfferResult | Overtaken<OfferView>>;
export async function updateOffer(
  { db, now }: OfferDeps,
  actor: string,
  known: number | SeenOffer,
  change: OfferChange,
): Promise<UpdateOfferResult | Overtaken<OfferView>> {
  const { tables } = db;
  const { id, updated_at: seen } = typeof known === "number" ? { id: known } : known;
  const { offers } = tables;
  return db.transaction(async (tx) => {
    const before = await lockOffer(tx, db, id);
    if (before === null) return { kind: "not_found" };
    const isOtherMoney = change.currency !== undefined && change.currency !== before.currency;
    if (isOtherMoney && change.price_minor === undefined) {
      return invalid("price_minor", "a price in another currency is another price: name it too");
    }
    const issue = issueOfChange(before, change);
    if (issue) return { kind: "invalid", issues: [issue] };
    const columns = changedOf(offerColumns(before), offerColumns(change));
    if (Object.keys(columns).length === 0) return { kind: "unchanged", offer: before };
    if (seen !== undefined && seen !== before.updated_at) return { kind: "overtaken", current: before };
    const at = await nextUpdatedAt(tx, tables, now());
    await tx
      .update(offers)
      .set({ ...columns, updatedAt: at })
      .where(eq(offers.id, id));
    const offer = await writtenOffer(tx, tables, id);
    const subject = `offer:${id}`;
    const changes = viewChanges(before, offer);
    await recordAudit(tx, tables, { at, actor, action: "offer.update", subject, ...changes });
    return { kind: "updated", offer };
  });
}

/** Removes an offer that nobody looked at or bought. */
export async function deleteOffer(
  { db, now }: OfferDeps,
  actor: string,
  id: number,
): Promise<DeleteOfferResult> {
  const { tables } = db;
  const { payments, funnelStates, offers } = tables;
  return db.transaction(async (tx) => {
    // A sale under way keeps it: its payment is seen below, once it is committed.
    const offer = await lockOffer(tx, db, id);
    if (offer === null) return { kind: "not_found" };
    if (await isReferenced(tx, [payments.offerId, funnelStates.offerId], id)) return { kind: "in_use" };
    await tx.delete(offers).where(eq(offers.id, id));
    const subject = `offer:${id}`;
    await recordAudit(tx, tables, { at: now(), actor, action: "offer.delete", subject, before: offer });
    return { kind: "deleted" };
  });
}

/** An offer that cannot be paid may still be renamed or taken off sale; priced or put on sale it may not. */
function issueOfChange(before: OfferView, change: OfferChange): Issue | null {
  const { provider, price_minor, currency, enabled } = change;
  const isAboutMoney = [provider, price_minor, currency].some((named) => named !== undefined);
  if (!isAboutMoney && enabled !== true) return null;
  return payableIssue({
    provider: provider ?? before.provider,
    priceMinor: price_minor ?? before.price_minor,
    currency: currency ?? before.currency,
  });
}

/** An offer of the bot that was made after `newest` and is as the draft says. */
async function findSame(
  tx: Tx,
  tables: Tables,
  { botId, newest }: { readonly botId: number; readonly newest: number },
  draft: OfferChange,
): Promise<OfferView | null> {
  const { offers } = tables;
  const later = await tx
    .select()
    .from(offers)
    .where(and(eq(offers.botId, botId), gt(offers.id, newest)));
  const same = later.find((offer) => Object.keys(changedOf(offer, offerColumns(draft))).length === 0);
  return same ? findOfferView(tx, tables, same.id) : null;
}

/** The offer of that number, locked until the transaction ends, or null. */
async function lockOffer(tx: Tx, { tables, dialect }: Database, id: number): Promise<OfferView | null> {
  const { offers } = tables;
  await dialect.locked(tx.select({ id: offers.id }).from(offers).where(eq(offers.id, id)));
  return findOfferView(tx, tables, id);
}

function offerColumns(change: OfferChange) {
  const { name, description, price_minor, currency, provider, delivery, position, enabled } = change;
  return { name, description, priceMinor: price_minor, currency, provider, delivery, position, enabled };
}

async function placeAtEnd(reader: Reader, { offers }: Tables, botId: number): Promise<number> {
  const rows = await reader.select({ position: offers.position }).from(offers).where(eq(offers.botId, botId));
  const last = Math.max(-1, ...rows.map(({ position }) => position));
  return Math.min(last + 1, LARGEST_POSITION);
}

async function writtenOffer(reader: Reader, tables: Tables, id: number): Promise<OfferView> {
  const offer = await findOfferView(reader, tables, id);
  if (offer === null) throw new Error(`offer ${id} was written and is not there`);
  return offer;
}
