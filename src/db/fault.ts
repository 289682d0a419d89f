import { getTableName } from "drizzle-orm";
import { DeadlineError } from "../platform/deadline.ts";
import { isDiskFull } from "../platform/disk.ts";
import { causesOf, codeOf } from "../platform/errors.ts";
import { type Tables, tablesOf } from "./define-schema.ts";
import { grantOn, rightsOn } from "./grants.ts";
import { MIGRATIONS_TABLE, OPERATOR_VIEWS } from "./migration-plan.ts";

/**
 * Whether a failed write is the fault of what was written (a constraint, a value of the wrong form) rather than of the
 * database (away, full, read-only, a table or a right missing, its numbers behind), where trying row by row helps nobody.
 */
export function isRowFault(error: unknown): boolean {
  return reasonsOf(error).some(
    ({ code, message, isBug }) => isBug || (ROW_FAULT.test(code) && takenNumberOf(code, message) === null),
  );
}

// SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation); SQLite's own names.
const ROW_FAULT = /^2[23]...$|^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/;

/**
 * The table whose next number a row has already; null where the failure is another. Numbers are the one primary key that
 * Postgres gives, and the only one of ours that two rows can be given.
 */
function takenNumberOf(code: string, message: string): string | null {
  return code === UNIQUE_VIOLATION ? (message.match(/\b(\w+)_pkey\b/)?.[1] ?? null) : null;
}

/** Whether the database could not be asked at all, or not in time: whoever comes again in a moment may find it back. */
export function isAway(error: unknown): boolean {
  return error instanceof DeadlineError || reasonsOf(error).some(({ code }) => AWAY.test(code));
}

// The driver's and the system's names for a connection that was not had or was lost; SQLSTATE 08 (connection exception),
// 53300 (no connection left), 57P (the server stops or starts); SQLite's names for a lock that others hold.
const AWAY =
  /^CONNECT(_TIMEOUT|ION_(CLOSED|ENDED|DESTROYED))$|^E(CONN(REFUSED|RESET)|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)$|^08...$|^53300$|^57P..$|^SQLITE_(BUSY|LOCKED|CANTOPEN)/;

/** Whether somebody else holds the SQLite file's lock: a backup, another program. Such a one is away, too. */
export function isLocked(error: unknown): boolean {
  return reasonsOf(error).some(({ code }) => LOCKED.test(code));
}

const LOCKED = /^SQLITE_(BUSY|LOCKED)/;

/** Whether Postgres answers, and does not let this user in, or knows no such database. */
export function isTurnedAway(error: unknown): boolean {
  return reasonsOf(error).some(({ code }) => TURNED_AWAY.test(code));
}

// SQLSTATE classes 28 (invalid authorization specification) and 3D (invalid catalog name).
const TURNED_AWAY = /^(28|3D)...$/;

/** Whether a pooler is between that takes none of our settings, because it was not said that there is one. */
export function isUnsaidPooler(error: unknown): boolean {
  return reasonsOf(error).some(({ message }) => UNSAID_POOLER.test(message));
}
// PgBouncer's words.
const UNSAID_POOLER = /unsupported startup parameter/;

/** Whether a table or a column is missing. */
export function isOutdated(error: unknown): boolean {
  return reasonsOf(error).some(isSomethingUndefined);
}

/** Whether the database takes nothing until somebody does what `adviceOn` says; what is in it can be read meanwhile. */
export function isUnwritable(error: unknown): boolean {
  return isReadOnly(error) || isDiskFull(error);
}

/** Whether the database can be read, and takes nothing from anybody. */
export function isReadOnly(error: unknown): boolean {
  return reasonsOf(error).some(({ code }) => READ_ONLY.test(code));
}

/** Whether Postgres gave this transaction up because another one waited for it, and it for that one: it may be tried again. */
export function isDeadlock(error: unknown): boolean {
  return reasonsOf(error).some(({ code }) => code === DEADLOCK);
}

/** Whether Postgres refused a row because one with its unique key is there. */
export function isDuplicate(error: unknown): boolean {
  return reasonsOf(error).some(({ code }) => code === UNIQUE_VIOLATION);
}

/** Whether Postgres says that a right is missing. */
export function isForbidden(error: unknown): boolean {
  return reasonsOf(error).some(({ code }) => code === INSUFFICIENT_PRIVILEGE);
}

/**
 * What to do about a failure of the database, as a statement or a command to run; undefined where it is not one
 * that somebody's command would mend. `user` is the app's own database user.
 */
export function adviceOn(
  error: unknown,
  { user, tables }: { user: string; tables: Tables },
): string | undefined {
  for (const reason of reasonsOf(error)) {
    const advice = adviceOnReason(reason, user, tables);
    if (advice !== undefined) return advice;
  }
  return isDiskFull(error) ? "make room on the database's disk" : undefined;
}

// SQLSTATE, by Postgres' appendix A; SQLite says the same with names.
export const INSUFFICIENT_PRIVILEGE = "42501";
const DEADLOCK = "40P01";
const UNIQUE_VIOLATION = "23505";
const UNDEFINED = /^42(P01|703)$/;
const READ_ONLY = /^25006$|^SQLITE_READONLY/;

function isSomethingUndefined({ code, message }: Reason): boolean {
  return UNDEFINED.test(code) || /no such (table|column)/.test(message);
}

function adviceOnReason(reason: Reason, user: string, tables: Tables): string | undefined {
  const { code, message } = reason;
  if (code === INSUFFICIENT_PRIVILEGE) return adviceOnRight(message, user, tables);
  if (isSomethingUndefined(reason)) {
    return "run: bun run ponte migrate (or, where the app's user may not: scripts/create_meta_tracking_sessions.sh <privileged postgres url>)";
  }
  if (UNSAID_POOLER.test(message)) {
    return "set DATABASE_POOLER and DATABASE_DIRECT_URL: a pooler is at DATABASE_URL";
  }
  if (READ_ONLY.test(code)) return "make the database writable: it is a replica, or its files are read-only";
  const behind = takenNumberOf(code, message);
  if (behind !== null) {
    return `the numbers of ${behind} are behind its rows, as in a copy that came without its sequences; as the tables' owner, run: ${numbersAhead(behind)}`;
  }
  return undefined;
}

/** The statement that lets a table go on with numbers that no row has. */
export function numbersAhead(table: string): string {
  return `SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}));`;
}

/** Servers speak many languages, so the relation is found by its name and not by the words around it. */
function adviceOnRight(message: string, user: string, tables: Tables): string {
  const words = new Set(message.match(/\w+/g));
  const isNamed = (name: string) => words.has(name);
  const table = tablesOf(tables)
    .map((known) => getTableName(known))
    .find(isNamed);
  if (table) return runAsOwner(grantOn(table, rightsOn(table), user), user);
  const readOnly = [MIGRATIONS_TABLE, ...OPERATOR_VIEWS].find(isNamed);
  return readOnly ? runAsOwner(grantOn(readOnly, ["SELECT"], user), user) : `run: ${grantCommand(user)}`;
}

function runAsOwner(statement: string, user: string): string {
  return `as the tables' owner, run: ${statement} Or, for everything at once: ${grantCommand(user)}`;
}

/** The command that grants the app's user everything it needs. */
export function grantCommand(user: string): string {
  return `scripts/grant_meta_tracking_sessions.sh <privileged postgres url> ${user}`;
}

interface Reason {
  readonly code: string;
  readonly message: string;
  readonly isBug: boolean;
}

function reasonsOf(error: unknown): Reason[] {
  return causesOf(error).map((cause) => ({
    code: codeOf(cause),
    message: cause.message,
    isBug: cause instanceof TypeError || cause instanceof RangeError,
  }));
}
