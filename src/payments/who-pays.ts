import { findBotRow } from "../bots/bot-view.ts";
import type { Tx } from "../db/database.ts";
import { hashedCustomer, storedCustomerId } from "../meta/user-data.ts";
import { findPoolOf } from "../pools/find-pool-of.ts";
import type { PoolRow } from "../pools/pool-view.ts";
import { type BotUser, findBotUser, saveBotUser } from "../tracking/bot-users.ts";
import { findSession } from "../tracking/find-session.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { isWorthKeeping, mayBeSpooled } from "../tracking/tracking-token.ts";
import { type VisitBehind, visitBehind } from "../tracking/visit-behind.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import type { PaymentDetails } from "./payment-input.ts";

/** Whose a payment is and what it is for, as its row says it. */
export type Belongings = Pick<
  Payment,
  "poolId" | "botId" | "botUserId" | "trackingToken" | "customerUserId" | "customer" | "content"
>;

export interface WhoPays {
  readonly visit: VisitBehind;
  readonly pool: PoolRow | null;
  readonly belongings: Belongings;
}

/** The bot and the person, where a sale began in one of our bots. */
interface Seller {
  readonly botId: number;
  readonly botUserId: number;
}

/** What there is to go by. */
interface Hints {
  readonly said: PaymentDetails;
  /** Null where the sale began elsewhere. */
  readonly seller: Seller | null;
  /** The visit as Redis knows it, for a token that the database does not have. */
  readonly redisCopy: StoredVisit | null;
}

/** Finds out who pays, out of what was said; null where the bot that was named does not exist. */
export async function whoPays(
  deps: PaymentDeps,
  tx: Tx,
  { said, seller, redisCopy }: Hints,
): Promise<WhoPays | null> {
  const { tables } = deps.db;
  const bot = await botOf(deps, tx, said);
  if (said.bot !== undefined && bot === undefined) return null;
  const named = seller
    ? await findBotUser(tx, tables, seller.botUserId)
    : await buyerOf(deps, tx, bot?.id ?? null, said);
  const trackingToken = said.tracking_token ?? null;
  const visit = await visitBehind(tx, deps.db, { trackingToken, botUser: named }, redisCopy);
  const botId = seller?.botId ?? bot?.id ?? visit.botId ?? visit.botUser?.botId ?? null;
  const pool = await findPoolOf(tx, deps.db, { poolId: visit.poolId, botId });
  const { id, email, phone, first_name, last_name } = said.customer ?? {};
  return {
    visit,
    pool,
    belongings: {
      poolId: pool?.id ?? null,
      botId,
      botUserId: visit.botUser?.id ?? null,
      trackingToken: visit.trackingToken,
      customerUserId: id === undefined ? null : storedCustomerId(id),
      // Hashed on arrival: what somebody's e-mail is, the database never knows.
      customer: { ...hashedCustomer({ email, phone, firstName: first_name, lastName: last_name }) },
      content: contentOf(said),
    },
  };
}

/**
 * Whether a payment made of this would lead to a pool, now or, where its visit may still lie in a spool, when that comes
 * into the database; writes nothing.
 */
export async function leadsToPool(
  deps: PaymentDeps,
  tx: Tx,
  said: PaymentDetails,
  redisCopy: StoredVisit | null,
): Promise<boolean> {
  const { db, now } = deps;
  const { tables } = db;
  const bot = await botOf(deps, tx, said);
  const token = said.tracking_token ?? null;
  const session = await findSession(tx, tables, token);
  if (session === null && token !== null && mayBeSpooled(token, now())) return true;
  const poolId = session?.poolId ?? redisCopy?.poolId ?? null;
  return (await findPoolOf(tx, db, { poolId, botId: bot?.id ?? session?.botId ?? null })) !== null;
}

/** What a report says of whose a payment is, without a bot that does not exist: the rest of it still counts. */
export async function withoutUnknownBot<T extends PaymentDetails>(
  deps: PaymentDeps,
  tx: Tx,
  said: T,
): Promise<T> {
  const isUnknown = said.bot !== undefined && (await botOf(deps, tx, said)) === undefined;
  return isUnknown ? { ...said, bot: undefined, telegram_user_id: undefined } : said;
}

async function botOf({ db }: PaymentDeps, tx: Tx, { bot }: PaymentDetails) {
  return bot === undefined ? undefined : findBotRow(tx, db.tables, bot);
}

/** The person who buys, where the operator's own bot says who it is; made where this is the first we hear of them. */
async function buyerOf(
  { db: { tables }, now }: PaymentDeps,
  tx: Tx,
  botId: number | null,
  { telegram_user_id: telegramUserId, tracking_token }: PaymentDetails,
): Promise<BotUser | null> {
  if (botId === null || telegramUserId === undefined) return null;
  const token = tracking_token ?? null;
  const session = await findSession(tx, tables, token);
  const isKept =
    session === null ? token !== null && isWorthKeeping(token, now()) : session.consent !== "erased";
  return saveBotUser(
    tx,
    tables,
    { botId, person: { telegramUserId }, trackingToken: isKept ? token : null },
    now(),
  );
}

function contentOf({ content }: PaymentDetails): Payment["content"] {
  if (!content) return null;
  const { ids = [], name, type } = content;
  if (ids.length === 0 && !name && !type) return null;
  return { ...(ids.length > 0 && { ids }), ...(name && { name }), ...(type && { type }) };
}
