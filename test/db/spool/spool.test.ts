import { Database as SqliteClient } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { salvage } from "../../../src/db/spool/salvage.ts";
import { openSpool } from "../../../src/db/spool/spool.ts";
import { createSqliteFolder } from "../../support/database.ts";

const PROCESSES = 6;
const SPOOL = join(import.meta.dir, "../../../src/db/spool/spool.ts");

let folder: ReturnType<typeof createSqliteFolder>;
beforeEach(() => {
  folder = createSqliteFolder();
});
afterEach(() => folder.remove());

const documents = (...keys: string[]) => keys.map((key) => ({ key, body: `{"of":"${key}"}` }));

test("counts what waits and what is set aside without reading the documents", () => {
  const spool = openSpool(folder.url);
  spool.append(documents("a", "b", "c", "d"));
  spool.append(documents("a", "e"));
  spool.setAside("b", "why");
  spool.setAside("b", "another reason");
  spool.setAside("nobody", "why");
  spool.remove(["a", "b", "nobody"]);
  spool.setAside("c", "why");
  expect(spool.counts()).toEqual({ waiting: 2, setAside: 1 });
  expect(spool.oldest(9).map(({ key }) => key)).toEqual(["d", "e"]);
  spool.close();
  const client = new SqliteClient(folder.url);
  expect(client.query("select waiting, set_aside from spool_totals").all()).toEqual([
    { waiting: 2, set_aside: 1 },
  ]);
  client.close();
});

test("leaves nothing in its file of what was removed or forgotten, be it little or much", () => {
  const spool = openSpool(folder.url);
  const keys = Array.from({ length: 60 }, (_, i) => `${100 + i}`);
  spool.append(keys.map((key) => ({ key, body: `{"of":"${key}","in":"${"a browser ".repeat(90)}"}` })));
  spool.forget(keys.slice(0, 1));
  const isLeft = (key: string) => {
    const client = new SqliteClient(folder.url);
    client.run("pragma wal_checkpoint(truncate)");
    client.close();
    return readFileSync(folder.url, "latin1").includes(`{"of":"${key}"`);
  };
  expect(keys.filter(isLeft)).toEqual(keys.slice(1));
  spool.remove(keys.slice(1));
  expect(keys.filter(isLeft)).toEqual([]);
  spool.close();
});

test("a spool of an earlier version is counted when it is opened", () => {
  const earlier = new SqliteClient(folder.url, { create: true });
  earlier.run(
    "create table spool (key text primary key, body text not null, spooled_at integer not null, reason text)",
  );
  earlier.run("insert into spool values ('a', '{}', 0, null), ('b', '{}', 0, null), ('c', '{}', 0, 'why')");
  earlier.close();
  for (let opened = 0; opened < 2; opened++) {
    const spool = openSpool(folder.url);
    expect(spool.counts()).toEqual({ waiting: 2, setAside: 1 });
    spool.close();
  }
});

test("is opened by several processes at once, on an empty folder, and takes what each has", async () => {
  const path = join(folder.url, "..", "spool.db");
  const open = `
    const { openSpool } = await import(${JSON.stringify(SPOOL)});
    const spool = openSpool(${JSON.stringify(path)});
    spool.append([{ key: String(process.pid), body: "{}" }]);
    spool.close();`;
  const children = Array.from({ length: PROCESSES }, () =>
    Bun.spawn(["bun", "-e", open], { stderr: "inherit" }),
  );
  const codes = await Promise.all(children.map(({ exited }) => exited));
  expect(codes).toEqual(Array(PROCESSES).fill(0));
  const spool = openSpool(path);
  expect(spool.counts().waiting).toBe(PROCESSES);
  spool.close();
}, 60_000);

test("its opening waits for who writes to it for longer than a visitor could", async () => {
  openSpool(folder.url).close();
  const write = `
    const { Database } = await import("bun:sqlite");
    const client = new Database(${JSON.stringify(folder.url)});
    client.run("begin immediate");
    console.log("begun");
    await Bun.sleep(1_500);
    client.run("commit");`;
  const writer = Bun.spawn(["bun", "-e", write], { stdout: "pipe", stderr: "inherit" });
  await writer.stdout.getReader().read();
  openSpool(folder.url).close();
  expect(await writer.exited).toBe(0);
}, 60_000);

test("whom it knows nothing of it forgets without being written to, once no damaged spool is left to be read", () => {
  const spool = openSpool(folder.url);
  spool.append(documents("a"));
  const forget =
    (...keys: string[]) =>
    () =>
      spool.forget(keys);
  const other = new SqliteClient(folder.url);
  other.run("begin immediate");
  expect(forget("b")).toThrow("locked");
  other.run("rollback");
  spool.endForgetting();
  other.run("begin immediate");
  expect(forget("b", "a")).toThrow("locked");
  forget("b")();
  other.close();
  spool.close();
});

test("what was forgotten is remembered, whoever opens the spool, also by the file of an earlier version: it may be on its way into the database", () => {
  const spool = openSpool(folder.url);
  spool.append(documents("a", "b"));
  spool.forget(["a"]);
  const client = new SqliteClient(folder.url);
  client.run("alter table forgotten add column forgotten_at integer not null default 0");
  const other = openSpool(folder.url);
  other.forget(["b"]);
  other.endForgetting();
  expect(spool.forgotten()).toEqual(["a", "b"]);
  expect(spool.wasForgotten("b")).toBe(true);
  for (const open of [other, spool, client]) open.close();
});

test("what is read out of a damaged spool is still of the database that it names", () => {
  const spool = openSpool(folder.url);
  spool.append([
    { key: "a", body: '{"database":"one"}' },
    { key: "b", body: '{"database":"two"}' },
    { key: "c", body: "{}" },
  ]);
  spool.close();
  const again = openSpool(":memory:");
  for (const batch of salvage(folder.url)) again.append(batch);
  expect(again.oldest(9, "one").map(({ key }) => key)).toEqual(["a", "c"]);
  expect(again.ofOthers("one")).toEqual([{ database: "two", waiting: 1 }]);
  again.close();
});

test("a document that is rubbish is in nobody's way, and can be set aside", () => {
  const spool = openSpool(folder.url);
  spool.append([
    { key: "a", body: "no JSON" },
    { key: "b", body: '{"database":"one"}' },
  ]);
  expect(spool.oldest(9, "one").map(({ key }) => key)).toEqual(["a", "b"]);
  spool.setAside("a", "why");
  expect(spool.oldest(9, "one").map(({ key }) => key)).toEqual(["b"]);
  spool.close();
});
