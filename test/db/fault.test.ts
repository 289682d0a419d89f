import { describe, expect, test } from "bun:test";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { adviceOn, isAway } from "../../src/db/fault.ts";
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
