import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { ensureProgram } from "../../scripts/build.ts";
import { migrationPlan, newestMigration, VIEWS_KEY } from "../../src/db/migration-plan.ts";
import { openDatabase } from "../../src/db/open.ts";
import { addPool } from "../support/pools.ts";
import { runProgram } from "../support/run-program.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dir, "../..");
const folder = mkdtempSync(join(tmpdir(), "ponte-build-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the program serves everything from a database of its own making, wherever it is started", async () => {
  const url = join(folder, "ponte.db");
  const server = await startServer(url, { API_KEY: "a-key-of-many-letters" }, { cwd: folder });
  const db = await openDatabase({ url });
  await addPool(db, { slug: "open" });
  const get = async (path: string) => {
    const answer = await fetch(server.url + path, {
      headers: { authorization: "Bearer a-key-of-many-letters" },
    });
    return { status: answer.status, text: await answer.text() };
  };
  await until(async () => (await get("/go/open?fbclid=a")).status === 200);
  const page = await get("/go/open?fbclid=b");
  expect(page.text).toContain("t.me/");
  expect(await db.$count(db.tables.sessions)).toBe(2);
  const login = await get("/ops/login");
  // Scripts and style sheets are made of files that are no part of the program.
  const assets = [...(page.text + login.text).matchAll(/\/assets\/[\w.-]+/g)].map(([path]) => path);
  expect(assets.length).toBeGreaterThanOrEqual(3);
  for (const path of [...assets, "/openapi", "/metrics", "/api/pools"]) {
    expect({ path, status: (await get(path)).status }).toEqual({ path, status: 200 });
  }
  await db.close();
  expect(await server.stop()).toBe(0);
}, 60_000);

test("a program brings a database to its own version, though the checkout was pulled since it was made", async () => {
  const checkout = join(folder, "checkout");
  for (const path of ["package.json", "tsconfig.json", "src", "views", "drizzle", "scripts/build.ts"]) {
    cpSync(join(ROOT, path), join(checkout, path), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
  expect(await runProgram(["bun", "scripts/build.ts"], { cwd: checkout })).toMatchObject({ code: 0 });

  const drizzle = join(checkout, "drizzle");
  const journal = Bun.file(join(drizzle, "sqlite/meta/_journal.json"));
  const { entries, ...rest } = await journal.json();
  const newer = { ...entries.at(-1), idx: entries.length, tag: "9999_newer", when: Date.now() };
  await journal.write(JSON.stringify({ ...rest, entries: [...entries, newer] }));
  writeFileSync(join(drizzle, "sqlite/9999_newer.sql"), "create table newer (id integer);");
  appendFileSync(join(drizzle, "views/sqlite.sql"), "drop view if exists newer_view;");

  const url = join(folder, "pulled.db");
  const server = await startServer(url, {}, { program: join(checkout, "dist/ponte") });
  expect(await server.stop()).toBe(0);
  const db = await openDatabase({ url });
  const plan = migrationPlan("sqlite");
  expect(await newestMigration(db)).toBe(plan.latest);
  const { settings } = db.tables;
  expect(await db.select().from(settings).where(eq(settings.key, VIEWS_KEY))).toMatchObject([
    { value: plan.viewsDigest },
  ]);
  await db.close();
}, 60_000);

test("the program is made anew when a source is newer, and only then", async () => {
  const program = await ensureProgram();
  const madeMs = () => statSync(program).mtimeMs;
  const before = madeMs();
  await ensureProgram();
  expect(madeMs()).toBe(before);
  utimesSync(`${program}.made-for`, new Date(0), new Date(0));
  await ensureProgram();
  expect(madeMs()).toBeGreaterThan(before);
}, 60_000);
