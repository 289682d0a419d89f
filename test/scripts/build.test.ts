import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureProgram } from "../../scripts/build.ts";
import { openDatabase } from "../../src/db/open.ts";
import { addPool } from "../support/pools.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

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
