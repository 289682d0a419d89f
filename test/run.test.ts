import { describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { ensureOperatorPassword } from "../src/ops/auth/password.ts";
import { openSession } from "../src/ops/auth/session.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "./support/database.ts";
import { startServer } from "./support/server.ts";
import { until } from "./support/until.ts";

describe(`the console's password, on ${testDialect}, where the database cannot be read at the start`, () => {
  const rename = ({ db }: TestDatabase, from: string, to: string) =>
    db.transaction((tx) => tx.rows(sql.raw(`alter table ${from} rename to ${to}`)));

  /** A server that finds no settings, until it has said so. */
  async function startWithout(own: TestDatabase, environment: Readonly<Record<string, string>>) {
    const lines: string[] = [];
    const onLogLine = (line: string) => void lines.push(line);
    await rename(own, "settings", "settings_away");
    const server = await startServer(own.url, { LOG_LEVEL: "warn", ...environment }, { onLogLine });
    const isSaid = (words: string) => lines.some((line) => line.includes(words));
    await until(() => isSaid("the console's password could not be read or made"));
    await rename(own, "settings_away", "settings");
    return { server, isSaid };
  }

  test("is made and shown once it can be", async () => {
    const own = await createTestDatabase();
    const { server, isSaid } = await startWithout(own, {});
    await until(() => isSaid("The console's password, shown this once: "));
    expect(await server.stop()).toBe(0);
    await own.dispose();
  }, 60_000);

  test("ends every session, where it was changed, once it can be", async () => {
    const own = await createTestDatabase();
    const { db } = own;
    await ensureOperatorPassword(db, { operatorPassword: "the one before" });
    await db.transaction((tx) => openSession(tx, db.tables, new Date()));
    const { server } = await startWithout(own, { OPERATOR_PASSWORD: "another one" });
    await until(async () => (await db.$count(db.tables.operatorSessions)) === 0);
    expect(await server.stop()).toBe(0);
    await own.dispose();
  }, 60_000);
});
