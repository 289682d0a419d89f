import { Database as SqliteClient } from "bun:sqlite";
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { parseJson } from "../../platform/json.ts";
import { SPOOL_TABLE } from "./spool.ts";

/** A document as a spool kept it. */
export interface Salvaged {
  readonly key: string;
  readonly body: string;
  /** Why it was set aside; null where it waited. */
  readonly reason: string | null;
}

const PAGE_BYTES = 4_096;
/** Where a file says how many pages it has; 0: as many as there are. */
const PAGE_COUNT_AT = 28;
/** So many numbers in a row without a document are the end. A damaged page has four, one above those a thousand. */
const MOST_MISSING = 3_000;
const BATCH = 500;

/**
 * The documents of a damaged spool that can still be read, some at a time: what is damaged itself is passed over.
 * Works on a copy whose first page, with all that SQLite must know to begin with, is made anew.
 */
export function* salvage(path: string): Generator<Salvaged[]> {
  const copy = `${path}.copy`;
  const parts = ["", "-wal", "-shm"];
  try {
    for (const part of ["", "-wal"]) if (existsSync(path + part)) copyFileSync(path + part, copy + part);
    writeFirstPage(copy);
    yield* documentsOf(copy);
  } finally {
    for (const part of parts) rmSync(copy + part, { force: true });
  }
}

function writeFirstPage(path: string): void {
  const sound = new SqliteClient(":memory:");
  sound.run(SPOOL_TABLE);
  const empty = sound.serialize();
  sound.close();
  empty.writeUInt32BE(0, PAGE_COUNT_AT);
  const file = openSync(path, "r+");
  writeSync(file, empty, 0, PAGE_BYTES, 0);
  // Where the page that the table begins on was cut off, SQLite would refuse the whole file.
  if (fstatSync(file).size < empty.length) ftruncateSync(file, empty.length);
  closeSync(file);
}

function* documentsOf(path: string): Generator<Salvaged[]> {
  const client = new SqliteClient(path, { strict: true });
  try {
    // By their numbers, so that the index, which may be what is damaged, is not needed; and from both ends: a damaged
    // number looks like the end to whoever comes from one.
    yield* walk(client, { where: "rowid > ? order by rowid", from: 0, step: 1 });
    yield* walk(client, { where: "rowid < ? order by rowid desc", from: Number.MAX_SAFE_INTEGER, step: -1 });
  } finally {
    client.close();
  }
}

interface Way {
  readonly where: string;
  readonly from: number;
  readonly step: 1 | -1;
}

function* walk(client: SqliteClient, { where, from, step }: Way): Generator<Salvaged[]> {
  const next = client.query<Salvaged & { readonly number: number }, [number]>(
    `select rowid as number, key, body, reason from spool not indexed where ${where} limit 1`,
  );
  let found: Salvaged[] = [];
  let at = from;
  let missing = 0;
  while (missing < MOST_MISSING) {
    const document = orUndefined(() => next.get(at));
    if (document === null) break;
    missing++;
    // A damaged number may lie on the wrong side of the last one: followed there, the walk would never end.
    const isAhead = document !== undefined && (document.number - at) * step > 0;
    at = isAhead ? document.number : at + step;
    if (!document || !isSound(document)) continue;
    if (isAhead) missing = 0;
    found.push(document);
    if (found.length < BATCH) continue;
    yield found;
    found = [];
  }
  yield found;
}

/** That something cannot be read is why we are here, and said already. */
function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Rubbish may look like a row. */
function isSound({ key, body }: Salvaged): boolean {
  return typeof key === "string" && typeof body === "string" && parseJson(body) !== undefined;
}
