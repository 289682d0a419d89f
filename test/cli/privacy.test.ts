import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSpool } from "../../src/db/spool/spool.ts";
import { dump } from "../privacy/traces.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { seedVisitor } from "../support/seed-visitor.ts";
import { ponte, ponteAsked, ponteJson } from "./ponte.ts";

let own: TestDatabase;
let environment: Record<string, string>;
let dataDir: string;
beforeAll(async () => {
  own = await createTestDatabase();
  dataDir = mkdtempSync(join(tmpdir(), "ponte-privacy-"));
  environment = { DATABASE_URL: own.url, DATA_DIR: dataDir };
});
afterAll(async () => {
  await own.dispose();
  rmSync(dataDir, { recursive: true, force: true });
});

describe(`ponte privacy erase on ${testDialect}`, () => {
  test("counts, then erases, in this machine's spool too, and is done when there is nothing left", async () => {
    const { token, telegramUserId } = await seedVisitor(own.db);
    const spool = openSpool(join(dataDir, "spool.db"));
    spool.append([{ key: token, body: "{}" }]);
    const counted = await ponte(
      ["privacy", "erase", "--customer", ` ${telegramUserId} `, "--dry-run"],
      environment,
    );
    expect(counted.code).toBe(0);
    expect(counted.out).toMatch(/^Would erase:\nVisits +1[\s\S]*Payments \(amounts stay\) +1/);
    expect(spool.counts().waiting).toBe(1);

    const erased = await ponteJson(["privacy", "erase", "--customer", telegramUserId, "--yes"], environment);
    expect(erased).toMatchObject({ dry_run: false, sessions: 1, people: 1, payments: 1, spooled: 1 });
    expect(spool.counts().waiting).toBe(0);
    spool.close();
    const { auditLog } = own.db.tables;
    expect(await own.db.select().from(auditLog)).toMatchObject([
      { actor: "cli", action: "privacy.erase", subject: "customer" },
    ]);
    const again = await ponte(["privacy", "erase", "--customer", telegramUserId, "--yes"], environment);
    expect(again).toMatchObject({ code: 0, out: "Nothing is known of this person (any more).\n" });
  });

  test("shows whoever sits there what would go, and does it on a yes alone", async () => {
    const { token } = await seedVisitor(own.db);
    const before = await dump(own.db);
    const answerWith = (isMeant: boolean) =>
      ponteAsked(["privacy", "erase", "--token", token], environment, isMeant);
    const asked = ["Erase this for good?"];
    const preview = expect.stringMatching(/^Would erase:\nVisits +1/);
    expect(await answerWith(false)).toEqual({
      code: 1,
      out: [],
      err: [preview, "Nothing was changed."],
      asked,
    });
    expect(await dump(own.db)).toEqual(before);
    const erased = expect.stringMatching(/^Erased:\nVisits +1/);
    expect(await answerWith(true)).toEqual({ code: 0, out: [erased], err: [preview], asked });
  });

  test("the spool notes a visit that it never had only while a damaged one is still to be read", async () => {
    const file = join(dataDir, "spool.db");
    const unread = `${file}.corrupt-1.unread`;
    const eraseAnother = async () => {
      const { token } = await seedVisitor(own.db);
      expect((await ponte(["privacy", "erase", "--token", token, "--yes"], environment)).code).toBe(0);
      return token;
    };
    const noted = [];
    const spool = openSpool(file);
    for (const damaged of [false, true]) {
      if (damaged) writeFileSync(unread, "");
      noted.push(spool.wasForgotten(await eraseAnother()));
    }
    spool.close();
    rmSync(unread);
    expect(noted).toEqual([false, true]);
  });

  test("a spool that cannot be looked at is not taken for none", async () => {
    const { token } = await seedVisitor(own.db);
    const closed = mkdtempSync(join(tmpdir(), "ponte-privacy-"));
    // Closed to everybody, root too.
    symlinkSync("spool.db", join(closed, "spool.db"));
    const ran = await ponte(["privacy", "erase", "--token", token, "--yes"], {
      ...environment,
      DATA_DIR: closed,
    });
    rmSync(closed, { recursive: true });
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("spool.db cannot be used") });
  });

  test("Redis being away is said, and keeps nothing from being erased", async () => {
    const { paymentId } = await seedVisitor(own.db);
    const ran = await ponte(["privacy", "erase", "--payment", paymentId, "--yes"], {
      ...environment,
      REDIS_URL: "redis://127.0.0.1:9",
    });
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^Erased:\nVisits +1/);
    expect(ran.out).toContain("Redis did not answer; they go after TRACKING_TTL_DAYS");
    const again = await ponte(["privacy", "erase", "--payment", paymentId, "--yes"], {
      ...environment,
      REDIS_URL: "redis://127.0.0.1:9",
    });
    expect(again.out).toMatch(/^Erased:\nVisits +0[\s\S]*Redis did not answer/);
  });

  test.each([
    [[], "give one of --token, --payment and --customer"],
    [["--token", "abc"], "--token: must be 32 lowercase hex digits"],
    [["--token", "0".repeat(32), "--customer", "1"], "give one of --token, --payment and --customer"],
  ])("%p is wrong usage", async (flags, message) => {
    const ran = await ponte(["privacy", "erase", ...flags], environment);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(message);
  });

  test("the help says what stays", async () => {
    const { code, out } = await ponte(["privacy", "erase", "--help"]);
    expect(code).toBe(0);
    expect(out).toContain("Amounts, references and counts stay.");
    expect(out).toContain("--dry-run");
  });
});
