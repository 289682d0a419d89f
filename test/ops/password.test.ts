import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { createPasswordCheck, ensureOperatorPassword } from "../../src/ops/auth/password.ts";
import { openSession } from "../../src/ops/auth/session.ts";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";

const MADE_HERE = { operatorPassword: undefined };

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

async function settings(): Promise<string> {
  return JSON.stringify(await own.db.select().from(own.db.tables.settings));
}

describe(`the operator's password on ${testDialect}`, () => {
  test("is made at the first start, shown once, and kept as an argon2id hash alone", async () => {
    const password = await ensureOperatorPassword(own.db, MADE_HERE);
    expect(password).toMatch(/^[\w-]{20}$/);
    expect(await ensureOperatorPassword(own.db, MADE_HERE)).toBeNull();
    expect(await settings()).toContain("$argon2id$");
    expect(await settings()).not.toContain(password ?? "");
    const check = createPasswordCheck(own.db, MADE_HERE);
    expect(await check(password ?? "")).toBe("right");
    expect(await check(`${password}x`)).toBe("wrong");
  });

  test("is one and the same for processes that start at the same time, and one of them shows it", async () => {
    const shown = await Promise.all([1, 2, 3].map(() => ensureOperatorPassword(own.db, MADE_HERE)));
    const made = shown.filter((password) => password !== null);
    expect(made.length).toBe(1);
    expect(await createPasswordCheck(own.db, MADE_HERE)(made[0] ?? "")).toBe("right");
  });

  test("is OPERATOR_PASSWORD where that is set, never shown, and the made one is worth nothing then", async () => {
    const made = await ensureOperatorPassword(own.db, MADE_HERE);
    const config = { operatorPassword: "set by the environment" };
    expect(await ensureOperatorPassword(own.db, config)).toBeNull();
    const check = createPasswordCheck(own.db, config);
    expect(await check("set by the environment")).toBe("right");
    expect(await check(made ?? "")).toBe("wrong");
    expect(await settings()).not.toContain("set by the environment");
  });

  test("ends every session when it changes, and none when it does not", async () => {
    const { operatorSessions, auditLog } = own.db.tables;
    await ensureOperatorPassword(own.db, { operatorPassword: "the first one" });
    await own.db.transaction((tx) => openSession(tx, own.db.tables, new Date()));
    await ensureOperatorPassword(own.db, { operatorPassword: "the first one" });
    expect(await own.db.$count(operatorSessions)).toBe(1);
    await ensureOperatorPassword(own.db, { operatorPassword: "another one" });
    expect(await own.db.$count(operatorSessions)).toBe(0);
    const audited = await own.db.select().from(auditLog);
    expect(audited.map(({ action }) => action)).toEqual(["operator.password", "operator.password"]);
    expect(JSON.stringify(audited)).not.toContain("another one");
  });

  test("opens nothing more, also in a process that still has it, once another has changed it", async () => {
    const [before, after] = [{ operatorPassword: "the first one" }, { operatorPassword: "another one" }];
    await ensureOperatorPassword(own.db, before);
    const [stays, comes] = [createPasswordCheck(own.db, before), createPasswordCheck(own.db, after)];
    expect(await stays("the first one")).toBe("right");
    await ensureOperatorPassword(own.db, after);
    expect(await stays("the first one")).toBe("wrong");
    expect(await stays("another one")).toBe("wrong");
    expect(await comes("another one")).toBe("right");
  });

  test("lets nobody in while there is none", async () => {
    const hashes = spyOn(Bun.password, "hash");
    expect(await createPasswordCheck(own.db, MADE_HERE)("")).toBe("wrong");
    expect(await createPasswordCheck(own.db, MADE_HERE)("anything")).toBe("wrong");
    // As slow as where there is one.
    expect(hashes).toHaveBeenCalledTimes(1);
    hashes.mockRestore();
  });

  test("is right again after there was no memory for its hash", async () => {
    const check = createPasswordCheck(own.db, { operatorPassword: "set by the environment" });
    using _ = spyOn(Bun.password, "hash").mockRejectedValueOnce(new Error("out of memory"));
    await expect(check("set by the environment")).rejects.toThrow("out of memory");
    expect(await check("set by the environment")).toBe("right");
  });

  test("is as long as it likes, up to a thousand characters", async () => {
    const operatorPassword = "x".repeat(1_000);
    const check = createPasswordCheck(own.db, { operatorPassword });
    expect(await check(operatorPassword)).toBe("right");
    const verify = spyOn(Bun.password, "verify");
    expect(await check(`${operatorPassword}x`)).toBe("wrong");
    expect(verify).not.toHaveBeenCalled();
    verify.mockRestore();
  });

  test("is checked one by one, each check has its 64 MB to itself", async () => {
    let [running, most] = [0, 0];
    using _ = spyOn(Bun.password, "verify").mockImplementation(async () => {
      most = Math.max(most, ++running);
      await yieldToEventLoop();
      running--;
      return false;
    });
    const check = createPasswordCheck(own.db, { operatorPassword: "set by the environment" });
    // Its own hash is made at the first.
    await check("a guess");
    await Promise.all(Array.from({ length: 8 }, () => check("a guess")));
    expect(most).toBe(1);
  });

  test("is checked for so many at a time, and the others are told to come back", async () => {
    const check = createPasswordCheck(own.db, { operatorPassword: "set by the environment" });
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => check("a guess")));
    expect(verdicts.filter((verdict) => verdict === "wrong").length).toBe(8);
    expect(verdicts.filter((verdict) => verdict === "busy").length).toBe(12);
    expect(await check("set by the environment")).toBe("right");
  });
});
