import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../src/platform/log.ts";
import { closeToOthers } from "../../src/platform/private-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ponte-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function close(paths: readonly string[]) {
  const lines: unknown[] = [];
  closeToOthers(
    paths,
    createLog("info", { write: (line: string) => void lines.push(JSON.parse(line).path) }),
  );
  return lines;
}

const modeOf = (path: string) => statSync(path).mode & 0o7777;

test("a file that all could read is closed to others, as the log says once; its group keeps what it has", () => {
  const [open, shared, own] = ["open", "shared", "own"].map((name) => join(folder, name));
  if (!open || !shared || !own) throw new Error("no paths");
  for (const [path, mode] of [
    [open, 0o644],
    [shared, 0o660],
    [own, 0o600],
  ] as const) {
    writeFileSync(path, "");
    chmodSync(path, mode);
  }
  expect(close([open, shared, own])).toEqual([open]);
  expect([open, shared, own].map(modeOf)).toEqual([0o640, 0o660, 0o600]);
  expect(close([open, shared, own])).toEqual([]);
});

test("a folder stays as it is, and what is not there is not missed", () => {
  const path = join(folder, "everybody's");
  mkdirSync(path);
  chmodSync(path, 0o777);
  expect(close([path, join(folder, "nothing")])).toEqual([]);
  expect(modeOf(path)).toBe(0o777);
});
