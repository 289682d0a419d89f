import { and, eq, inArray, isNull, type SQL } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { storedCustomerId } from "../meta/user-data.ts";
import { inChunks } from "./chunks.ts";
import { type Owner, ownersOf } from "./visit-owners.ts";

/** How somebody asks for their data: by a visit, by a payment, or as whom the operator knows them. */
export type PersonKey =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "payment"; readonly paymentId: string }
  /** A Telegram user's id, or the shop's own id of a customer. */
  | { readonly kind: "customer"; readonly customer: string };

/** Everything that is one person's. */
export interface Person {
  readonly tokens: readonly string[];
  readonly botUserIds: readonly number[];
  readonly paymentIds: readonly string[];
}

/** What is known of the person so far; grows until nothing more is found. */
interface Known {
  readonly telegramUsers: Set<string>;
  readonly customers: Set<string>;
  readonly tokens: Set<string>;
  readonly botUsers: Set<number>;
  readonly payments: Set<string>;
}

/** A customer id with more payments than this, come upon by way of another key, is not one person's but "guest". */
const MOST_PAYMENTS_OF_ONE = 100;

/**
 * Who that is: from the key to the Telegram user and the shop's customer behind it, and from them to every visit,
 * every bot and every payment. A visit is whose start came first: a link that was passed on does not make its two
 * readers one person. Every query goes by an index.
 */
export async function findPerson(db: Database, key: PersonKey): Promise<Person> {
  const known: Known = {
    telegramUsers: new Set(),
    customers: new Set(),
    tokens: new Set(),
    botUsers: new Set(),
    payments: new Set(),
  };
  begin(known, key);
  for (let before = -1; before !== sizeOf(known); ) {
    before = sizeOf(known);
    await addBotUsers(db, known);
    await addPayments(db, known);
    await addVisits(db, known);
  }
  return {
    tokens: [...known.tokens],
    botUserIds: [...known.botUsers],
    paymentIds: [...known.payments],
  };
}

function sizeOf(known: Known): number {
  return Object.values(known).reduce((sum, { size }) => sum + size, 0);
}

function begin(known: Known, key: PersonKey): void {
  switch (key.kind) {
    case "token":
      known.tokens.add(key.token);
      return;
    case "payment":
      known.payments.add(key.paymentId);
      return;
    case "customer":
      known.telegramUsers.add(key.customer);
      // Who names an id means all of it, however many share it.
      known.customers.add(key.customer).add(storedCustomerId(key.customer));
      return;
  }
}

/** The person's rows in all bots, by their number at Telegram; and that number, where a row came first. */
async function addBotUsers(db: Database, { telegramUsers, botUsers: ids, tokens }: Known): Promise<void> {
  const { botUsers } = db.tables;
  addOwners(await ownersOf(db, [...tokens]), { telegramUsers, botUsers: ids });
  const columns = { id: botUsers.id, telegramUser: botUsers.telegramUserId };
  const select = (where: SQL) => db.select(columns).from(botUsers).where(where);
  for (const { telegramUser } of await inChunks([...ids], (some) => select(inArray(botUsers.id, some)))) {
    telegramUsers.add(telegramUser);
  }
  const rows = await inChunks([...telegramUsers], (some) => select(inArray(botUsers.telegramUserId, some)));
  for (const { id } of rows) ids.add(id);
}

/** Payments of the person, and who else they are by them: customers of the shop, users of other bots. */
async function addPayments(db: Database, known: Known): Promise<void> {
  const { payments } = db.tables;
  const columns = {
    id: payments.id,
    customer: payments.customerUserId,
    botUserId: payments.botUserId,
    token: payments.trackingToken,
  };
  const select = (where: SQL | undefined) => db.select(columns).from(payments).where(where);
  const rows = [
    ...(await inChunks([...known.payments], (some) => select(inArray(payments.id, some)))),
    ...(await inChunks([...known.botUsers], (some) => select(inArray(payments.botUserId, some)))),
    ...(await inChunks([...known.customers], (some) => select(inArray(payments.customerUserId, some)))),
    // Of a visit that was passed on, somebody else's payment stays theirs.
    ...(await inChunks([...known.tokens], (some) =>
      select(and(inArray(payments.trackingToken, some), isNull(payments.botUserId))),
    )),
  ];
  for (const { id, botUserId } of rows) {
    known.payments.add(id);
    if (botUserId !== null) known.botUsers.add(botUserId);
  }
  // A payment that names nobody in a bot is of whoever the visit is.
  const nameless = rows.filter(({ botUserId }) => botUserId === null).map(({ token }) => token);
  addOwners(await ownersOf(db, present(nameless)), known);
  // As it is stored now, and as it was before ids that read as somebody's were hashed.
  const customers = present(rows.map(({ customer }) => customer)).flatMap((id) => [id, storedCustomerId(id)]);
  for (const customer of new Set(customers)) {
    if (!known.customers.has(customer) && !(await isShared(db, customer))) known.customers.add(customer);
  }
}

async function isShared(db: Database, customer: string): Promise<boolean> {
  const { payments } = db.tables;
  const some = await db
    .select({ id: payments.id })
    .from(payments)
    .where(eq(payments.customerUserId, customer))
    .limit(MOST_PAYMENTS_OF_ONE + 1);
  return some.length > MOST_PAYMENTS_OF_ONE;
}

/** The person's visits: those that are theirs by name, and those of their bots and payments that are nobody else's. */
async function addVisits(db: Database, known: Known): Promise<void> {
  const { sessions, botUsers, payments, funnelStates } = db.tables;
  const owned = await inChunks([...known.telegramUsers], (some) =>
    db.select({ token: sessions.trackingToken }).from(sessions).where(inArray(sessions.userExternalId, some)),
  );
  const fromBots = await inChunks([...known.botUsers], (some) =>
    db
      .select({ first: botUsers.firstToken, latest: botUsers.latestToken })
      .from(botUsers)
      .where(inArray(botUsers.id, some)),
  );
  // Also those that came into the database after their start, which the bot need not name any more.
  const fromSteps = await inChunks([...known.botUsers], (some) =>
    db
      .selectDistinct({ token: funnelStates.trackingToken })
      .from(funnelStates)
      .where(inArray(funnelStates.botUserId, some)),
  );
  const fromPayments = await inChunks([...known.payments], (some) =>
    db.select({ token: payments.trackingToken }).from(payments).where(inArray(payments.id, some)),
  );
  const named = new Set([
    ...present(fromBots.flatMap(({ first, latest }) => [first, latest])),
    ...present(fromSteps.map(({ token }) => token)),
    ...present(fromPayments.map(({ token }) => token)),
  ]);
  const owners = await ownersOf(db, [...named]);
  for (const { token } of owned) known.tokens.add(token);
  for (const token of named) if (isTheirs(owners.get(token), known)) known.tokens.add(token);
}

function addOwners(
  owners: ReadonlyMap<string, Owner>,
  { telegramUsers, botUsers }: Pick<Known, "telegramUsers" | "botUsers">,
): void {
  for (const { telegramUser, botUserId } of owners.values()) {
    if (telegramUser !== null) telegramUsers.add(telegramUser);
    if (botUserId !== null) botUsers.add(botUserId);
  }
}

function isTheirs(owner: Owner | undefined, { telegramUsers, botUsers }: Known): boolean {
  if (owner === undefined) return true;
  const { telegramUser, botUserId } = owner;
  return telegramUser !== null
    ? telegramUsers.has(telegramUser)
    : botUserId !== null && botUsers.has(botUserId);
}

function present<T>(values: readonly (T | null)[]): T[] {
  return values.filter((value) => value !== null);
}
