import { recordAudit } from "../audit/audit-log.ts";
import type { Database } from "../db/database.ts";
import type { Spool } from "../db/spool/spool.ts";
import { roomOr, SettingError } from "../platform/setting-error.ts";
import type { TrackingStore } from "../tracking/tracking-store.ts";
import { chunksOf } from "./chunks.ts";
import { type Erasure, isAnything, NOTHING, sum } from "./erasure.ts";
import { eraseAnswers, eraseEvents, findAnswers, findEvents } from "./outbox-events.ts";
import { findPerson, type Person, type PersonKey } from "./person.ts";
import {
  eraseBotUsers,
  erasePayments,
  eraseSessions,
  findBotUsers,
  findPayments,
  findSessions,
} from "./rows.ts";

export interface ErasureDeps {
  readonly db: Database;
  /** This machine's spool; null where there is none to look into. */
  readonly spool: Pick<Spool, "count" | "forget"> | null;
  readonly trackingStore: Pick<TrackingStore, "count" | "forget">;
  readonly now: () => Date;
}

/** What is written about somebody while they are being erased goes with another pass. */
const MOST_PASSES = 5;

/**
 * Erases one person: everything that tells of them, in every table, in Redis and in this machine's spool. What stays
 * are counts, amounts and references, and an audit record that names nobody. Small transactions, each whole by itself;
 * erasing again, after a crash or for good measure, changes what is left, and nothing where nothing is.
 *
 * @param actor `cli`, `console` or `api:<key name>`
 */
export async function erasePerson(
  deps: ErasureDeps,
  key: PersonKey,
  { actor, dryRun }: { readonly actor: string; readonly dryRun: boolean },
): Promise<Erasure> {
  let person = await findPerson(deps.db, key);
  if (dryRun) return wouldErase(deps, person);
  let total = NOTHING;
  for (let n = 0; n < MOST_PASSES; n++) {
    const found = await findTraces(deps, person);
    const copies = await eraseTraces(deps, person, found);
    const changed = { ...countOf(found), copies };
    if (n > 0 && !isAnything(changed)) break;
    total = sum(total, changed);
    // The keys are gone now, so whom they led to is remembered.
    person = together(person, await findPerson(deps.db, key));
  }
  if (isAnything(total)) await audit(deps, key, actor, total);
  return total;
}

/** What an erasure would change by all that is known now. */
async function wouldErase(deps: ErasureDeps, person: Person): Promise<Erasure> {
  const found = await findTraces(deps, person);
  const copies = await deps.trackingStore.count(person.tokens);
  return { ...countOf(found), dry_run: true, copies };
}

/** What still tells of the person, and where. */
type Traces = Awaited<ReturnType<typeof findTraces>>;

async function findTraces({ db, spool }: ErasureDeps, person: Person) {
  const events = await findEvents(db, person);
  return {
    events: events.filter(({ isErased }) => !isErased),
    answers: await findAnswers(db, events),
    sessions: await findSessions(db, person),
    payments: await findPayments(db, person),
    people: await findBotUsers(db, person),
    spooled: inSpool(() => spool?.count(person.tokens)) ?? 0,
  };
}

/** @throws SettingError where this machine's spool tells or takes nothing: nobody could say that all is erased */
function inSpool<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    const todo = roomOr("Restart Ponte; its log says what is wrong with it.", error);
    throw new SettingError("DATA_DIR: the spool cannot be used", todo, error);
  }
}

/** Resolves to how many copies Redis had. */
async function eraseTraces(deps: ErasureDeps, person: Person, found: Traces): Promise<number | null> {
  const { db, spool, trackingStore, now } = deps;
  const { events, answers, sessions, payments, people } = found;
  // First what could still come into the database behind us.
  inSpool(() => spool?.forget(person.tokens));
  for (const some of chunksOf(events)) {
    const ids = some.map(({ id }) => id);
    await db.transaction((tx) => eraseEvents(tx, db, ids));
  }
  for (const ids of chunksOf(answers)) await db.transaction((tx) => eraseAnswers(tx, db, ids));
  for (const ids of chunksOf(sessions.map(({ id }) => id)))
    await db.transaction((tx) => eraseSessions(tx, db, ids, now()));
  // What leads to everything else goes last and together, so that an erasure that was cut off finds its way again.
  const batches = chunksOf(payments);
  const last = batches.pop() ?? [];
  for (const ids of batches) await db.transaction((tx) => erasePayments(tx, db, ids, now()));
  if (last.length + people.length > 0) {
    await db.transaction(async (tx) => {
      // People before payments, as where one is registered or confirmed: never crosswise.
      await eraseBotUsers(tx, db, people, now());
      await erasePayments(tx, db, last, now());
    });
  }
  return trackingStore.forget(person.tokens);
}

function together(a: Person, b: Person): Person {
  return {
    tokens: [...new Set([...a.tokens, ...b.tokens])],
    botUserIds: [...new Set([...a.botUserIds, ...b.botUserIds])],
    paymentIds: [...new Set([...a.paymentIds, ...b.paymentIds])],
  };
}

function countOf({ events, answers, sessions, payments, people, spooled }: Traces): Erasure {
  const unsent = events.filter(({ status }) => status !== "delivered");
  return {
    ...NOTHING,
    sessions: sessions.length,
    people: people.length,
    payments: payments.length,
    outbox: events.length,
    unsent: unsent.length,
    undelivered: unsent.filter(({ eventName }) => eventName === "delivery").length,
    answers: answers.length,
    spooled,
  };
}

/** Says that somebody was erased, by whom and how much; not who. A payment and a visit stay, nameless, so they may be named. */
async function audit(
  { db, now }: ErasureDeps,
  key: PersonKey,
  actor: string,
  erasure: Erasure,
): Promise<void> {
  const { dry_run: _, ...counts } = erasure;
  await db.transaction((tx) =>
    recordAudit(tx, db.tables, {
      at: now(),
      actor,
      action: "privacy.erase",
      subject: subjectOf(key),
      after: counts,
    }),
  );
}

function subjectOf(key: PersonKey): string {
  switch (key.kind) {
    case "token":
      return `session:${key.token}`;
    case "payment":
      return `payment:${key.paymentId}`;
    case "customer":
      return "customer";
  }
}
