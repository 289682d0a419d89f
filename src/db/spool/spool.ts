import { Database as SqliteClient } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf } from "../../platform/errors.ts";
import { inDataDir, SettingError } from "../../platform/setting-error.ts";
import { switchToWal } from "../sqlite/wal.ts";

/** One document kept for later. */
export interface Spooled {
  readonly key: string;
  readonly body: string;
}

/**
 * A small local queue on disk, for what the database could not take: independent of it, and durable
 * (`synchronous=FULL`) before `append` returns. Also keeps the last known pools.
 */
export interface Spool {
  /** Keeps the documents; one whose key is already there stays as it is, one that was forgotten stays away. */
  append(documents: readonly Spooled[]): void;
  /** The oldest documents that have not been set aside, of the database of that id and of those that name none. */
  oldest(limit: number, database?: string | null): Spooled[];
  /** How many wait that name another database: two may share a folder by mistake. */
  ofOthers(database: string | null): { database: string; waiting: number }[];
  /** The document of that key; null where it is not here, or was set aside. */
  find(key: string): Spooled | null;
  remove(keys: readonly string[]): void;
  /**
   * Removes them, and lets nothing bring them back that is still read out of a damaged spool. That they were forgotten is
   * kept for good: nobody can say until when whoever had read one before may bring it in all the same.
   */
  forget(keys: readonly string[]): void;
  wasForgotten(key: string): boolean;
  /** All that were forgotten. Whoever brought one in may have been killed before they erased it. */
  forgotten(): string[];
  /** No damaged spool is left to be read: what is not here needs no forgetting. */
  endForgetting(): void;
  /** How many of these are here, set aside or not. */
  count(keys: readonly string[]): number;
  /** Takes a document that can never be replayed out of the queue, but keeps it, with the reason, for a person. */
  setAside(key: string, reason: string): void;
  counts(): { waiting: number; setAside: number };
  /** A named text that outlives restarts. */
  note(name: string): string | null;
  setNote(name: string, text: string): void;
  close(): void;
}

/** First of all in the file: see `salvage`. */
export const SPOOL_TABLE =
  "create table if not exists spool (key text primary key, body text not null, spooled_at integer not null, reason text)";

/** Which database a document names; one that is rubbish, or of an earlier version, names none. */
const DATABASE = "case when json_valid(body) then json_extract(body, '$.database') end";

/** Each database's documents in their order: nobody reads over another's. */
const BY_DATABASE = `create index if not exists spool_by_database on spool (${DATABASE}, key) where reason is null`;

/** Kept by the database itself: counting would read every document, once a second, while visitors wait. */
const TOTALS: readonly string[] = [
  "create table if not exists spool_totals (waiting integer not null, set_aside integer not null)",
  `create trigger if not exists spool_added after insert on spool begin
    update spool_totals set waiting = waiting + (new.reason is null), set_aside = set_aside + (new.reason is not null);
  end`,
  `create trigger if not exists spool_removed after delete on spool begin
    update spool_totals set waiting = waiting - (old.reason is null), set_aside = set_aside - (old.reason is not null);
  end`,
  `create trigger if not exists spool_changed after update of reason on spool begin
    update spool_totals set waiting = waiting + (new.reason is null) - (old.reason is null),
      set_aside = set_aside + (new.reason is not null) - (old.reason is not null);
  end`,
];

const FIRST_TOTALS =
  "insert into spool_totals select count(*) filter (where reason is null), count(reason) from spool";

/** How long an opening waits for others, and how long a write does, for which the whole process stands still. */
const OPENING_MS = 10_000;
const BUSY_MS = 1_000;

/** The file itself is at fault, not the way to it. */
export class DamagedSpoolError extends SettingError {
  constructor(path: string, cause: unknown) {
    super(
      `DATA_DIR: ${path} is damaged`,
      'Restart Ponte, which moves it aside and begins a new one: docs/operations.md, "A damaged spool".',
      cause,
    );
  }
}

/** @throws SettingError where the folder is of no use, DamagedSpoolError where the file is */
export function openSpool(path: string): Spool {
  return inDataDir(path, () => {
    try {
      return spoolOf(openClient(path));
    } catch (error) {
      throw isDamage(error) ? new DamagedSpoolError(path, error) : error;
    }
  });
}

/** In the place of one that cannot be had: whoever asks something of it hears why. */
export function unavailableSpool(reason: unknown): Spool {
  const refuse = () => {
    throw reason;
  };
  return {
    append: refuse,
    oldest: refuse,
    ofOthers: refuse,
    find: refuse,
    remove: refuse,
    forget: refuse,
    wasForgotten: refuse,
    forgotten: refuse,
    endForgetting: refuse,
    count: refuse,
    setAside: refuse,
    counts: refuse,
    note: refuse,
    setNote: refuse,
    close: () => undefined,
  };
}

function isDamage(error: unknown): boolean {
  return error instanceof Error && /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));
}

function spoolOf(client: SqliteClient): Spool {
  const insert = client.prepare(
    `insert into spool (key, body, spooled_at) select ?1, ?2, ?3
      where not exists (select 1 from forgotten where key = ?1) on conflict do nothing`,
  );
  const waiting = (of: string) => `select key, body from spool where reason is null and ${DATABASE} ${of}`;
  const select = client.query<Spooled, [string | null, number]>(
    `${waiting("is null")} union all ${waiting("= ?1")} order by key limit ?2`,
  );
  const countOthers = client.query<{ database: string; waiting: number }, [string | null]>(
    `select ${DATABASE} as database, count(*) as waiting from spool
      where reason is null and ${DATABASE} is not null and ${DATABASE} is not ? group by 1`,
  );
  const find = client.query<Spooled, [string]>(
    "select key, body from spool where key = ? and reason is null",
  );
  const remove = client.prepare("delete from spool where key = ?");
  const forget = client.prepare("insert into forgotten (key) values (?) on conflict do nothing");
  const forgotten = client.query<{ key: string }, [string]>("select key from forgotten where key = ?");
  const has = client.query<{ key: string }, [string]>("select key from spool where key = ?");
  const isHere = (key: string) => has.get(key) !== null;
  const count = client.query<{ waiting: number; setAside: number }, []>(
    "select waiting, set_aside as setAside from spool_totals",
  );
  const removeAndForget = client.transaction((keys: readonly string[]) => {
    for (const key of keys) {
      remove.run(key);
      forget.run(key);
    }
  }).immediate;
  let isForgettingOver = false;

  return {
    append: client.transaction((documents: readonly Spooled[]) => {
      for (const { key, body } of documents) insert.run(key, body, Date.now());
    }).immediate,
    oldest: (limit, database = null) => select.all(database, limit),
    ofOthers: (database) => countOthers.all(database),
    find: (key) => find.get(key),
    remove: client.transaction((keys: readonly string[]) => {
      for (const key of keys) remove.run(key);
    }).immediate,
    forget(keys) {
      // A disk that takes nothing is no reason to refuse an erasure that has nothing to do here.
      if (isForgettingOver && !keys.some(isHere)) return;
      removeAndForget(keys);
    },
    wasForgotten: (key) => forgotten.get(key) !== null,
    forgotten: () =>
      client
        .query<{ key: string }, []>("select key from forgotten")
        .all()
        .map(({ key }) => key),
    endForgetting() {
      isForgettingOver = true;
    },
    count: (keys) => keys.filter(isHere).length,
    setAside: (key, reason) => client.run("update spool set reason = ? where key = ?", [reason, key]),
    counts: () => count.get() ?? { waiting: 0, setAside: 0 },
    note: (name) =>
      client.query<{ text: string }, [string]>("select text from notes where name = ?").get(name)?.text ??
      null,
    setNote: (name, text) =>
      void client.run(
        "insert into notes (name, text) values (?, ?) on conflict (name) do update set text = excluded.text",
        [name, text],
      ),
    close: () => client.close(),
  };
}

function openClient(path: string): SqliteClient {
  mkdirSync(dirname(path), { recursive: true });
  const client = new SqliteClient(path, { create: true, strict: true });
  try {
    prepare(client);
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}

function prepare(client: SqliteClient): void {
  switchToWal(client);
  const [check] = client.query<{ quick_check: string }, []>("pragma quick_check(1)").all();
  if (check?.quick_check !== "ok") {
    throw Object.assign(new Error(String(check?.quick_check)), { code: "SQLITE_CORRUPT" });
  }
  client.run("pragma synchronous = full");
  // Freed pages too: what a replay leaves behind names people, and no vacuum comes by here.
  client.run("pragma secure_delete = on");
  // At once, and however long others who open it or write to it take: on a slow disk each commit is some of that time.
  client.run(`pragma busy_timeout = ${OPENING_MS}`);
  client.transaction(makeTables).immediate(client);
  client.run(`pragma busy_timeout = ${BUSY_MS}`);
}

/** Where all are there, nothing is written: a full disk stops no start. */
function makeTables(client: SqliteClient): void {
  client.run(SPOOL_TABLE);
  client.run(BY_DATABASE);
  for (const statement of TOTALS) client.run(statement);
  if (client.query("select 1 from spool_totals").get() === null) client.run(FIRST_TOTALS);
  client.run("create table if not exists forgotten (key text primary key)");
  client.run("create table if not exists notes (name text primary key, text text not null)");
}
