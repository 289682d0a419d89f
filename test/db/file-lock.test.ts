import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { withFileLock } from "../../src/db/file-lock.ts";
import { createSqliteFolder } from "../support/database.ts";

test("the lock puts nothing on the disk but its empty file, so that a full one stops nobody", async () => {
  const folder = createSqliteFolder();
  const lock = join(dirname(folder.url), "lock");
  const files = withFileLock(lock, () => readdirSync(dirname(folder.url)));
  expect(files).toEqual(["lock"]);
  expect(Bun.file(lock).size).toBe(0);
  await folder.remove();
});

test("a lock that cannot be opened is named, not what it guards", async () => {
  const folder = createSqliteFolder();
  const place = dirname(folder.url);
  expect(() => withFileLock(place, () => null)).toThrow(`DATA_DIR: ${place} cannot be used`);
  await folder.remove();
});
