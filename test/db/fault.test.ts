import { describe, expect, test } from "bun:test";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { despiteDeadlock } from "../../src/db/despite-deadlock.ts";
import {
  adviceOn,
  isAway,
  isOutdated,
  isReadOnly,
  isRowFault,
  isTurnedAway,
  isUnwritable,
} from "../../src/db/fault.ts";
import * as tables from "../../src/db/postgres/tables.ts";
import { DeadlineError } from "../../src/platform/deadline.ts";

const coded = (code: string) => Object.assign(new Error(code), { code });

describe("a database is away", () => {
  const away = [
    ...["CONNECT_TIMEOUT", "CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED"],
    ...["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "08006", "53300", "57P01", "57P03"],
    ...["SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED", "SQLITE_CANTOPEN"],
  ];
  test.each(away)("where it says %s, wrapped or not", (code) => {
    expect(isAway(coded(code))).toBe(true);
    expect(isAway(new DrizzleQueryError("select 1", [], coded(code)))).toBe(true);
  });

  test("where it does not answer in time", () => {
    expect(isAway(new DeadlineError("the database did not answer within 3000 ms"))).toBe(true);
  });

  test.each(["23505", "42P01", "42501", "25006", "53100", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_FULL", ""])(
    "but not where it says %p",
    (code) => expect(isAway(coded(code))).toBe(false),
  );
});

test("the log says what to set where PgBouncer takes no settings from us", () => {
  const refused = Object.assign(new Error("unsupported startup parameter: statement_timeout"), {
    code: "08P01",
  });
  expect(adviceOn(refused, { user: "ponte", tables })).toContain("set DATABASE_POOLER");
});

describe("a failed write is a row's fault", () => {
  test.each([
    ...["22001", "22P02", "23502", "23503", "23505", "23514"],
    ...["SQLITE_CONSTRAINT_UNIQUE", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE"],
  ])("where it says %s, wrapped or not", (code) => {
    expect(isRowFault(coded(code))).toBe(true);
    expect(isRowFault(new DrizzleQueryError("insert", [], coded(code)))).toBe(true);
  });

  test("where our own code stumbled over it", () => {
    expect([new TypeError("x is not a function"), new RangeError("Invalid Date")].map(isRowFault)).toEqual([
      true,
      true,
    ]);
  });

  test.each(["42P01", "42501", "25006", "53100", "40P01", "57P01", "SQLITE_FULL", "SQLITE_BUSY", ""])(
    "but not where it says %p",
    (code) => expect(isRowFault(coded(code))).toBe(false),
  );

  test("nor where the database's own numbers are behind, as the advice says", () => {
    const message = 'duplicate key value violates unique constraint "outbox_events_pkey"';
    const taken = Object.assign(new Error(message), { code: "23505" });
    expect(isRowFault(taken)).toBe(false);
    expect(adviceOn(taken, { user: "ponte", tables })).toContain("the numbers of outbox_events are behind");
  });
});

test("what a database lacks or does not take is told by its code", () => {
  const codes = ["42P01", "42703", "28P01", "3D000", "25006", "SQLITE_READONLY_DBMOVED", "23505"];
  const those = (is: (error: unknown) => boolean) => codes.filter((code) => is(coded(code)));
  expect(those(isOutdated)).toEqual(["42P01", "42703"]);
  expect(those(isTurnedAway)).toEqual(["28P01", "3D000"]);
  expect(those(isReadOnly)).toEqual(["25006", "SQLITE_READONLY_DBMOVED"]);
  expect(["53100", "SQLITE_FULL", "25006", "42501"].filter((code) => isUnwritable(coded(code)))).toEqual([
    "53100",
    "SQLITE_FULL",
    "25006",
  ]);
});

describe("work that a deadlock ended", () => {
  const deadlock = () => new DrizzleQueryError("update", [], coded("40P01"));

  test("is done anew until it succeeds, but not for ever", async () => {
    let tries = 0;
    expect(
      await despiteDeadlock(async () => {
        if (++tries < 5) throw deadlock();
        return tries;
      }),
    ).toBe(5);
    tries = 0;
    const never = despiteDeadlock(async () => {
      tries += 1;
      throw deadlock();
    });
    await expect(never).rejects.toThrow();
    expect(tries).toBe(5);
  });

  test("is not done anew where something else ended it", async () => {
    let tries = 0;
    const failing = despiteDeadlock(async () => {
      tries += 1;
      throw coded("23505");
    });
    await expect(failing).rejects.toThrow("23505");
    expect(tries).toBe(1);
  });
});
