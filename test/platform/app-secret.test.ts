import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appSecret } from "../../src/platform/app-secret.ts";

const APP_SECRET = join(import.meta.dir, "../../src/platform/app-secret.ts");
const PROCESSES = 6;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "ponte-key-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const keyHere = () => Buffer.from(appSecret({ appSecret: undefined, dataDir })).toString("hex");

/** A process that says its key, or fails; `before` is for the shell. */
async function keyElsewhere(before = ":") {
  const script = `
    const { appSecret } = await import(${JSON.stringify(APP_SECRET)});
    const onMade = () => console.log("made");
    console.log(Buffer.from(appSecret({ dataDir: ${JSON.stringify(dataDir)} }, onMade)).toString("hex"));`;
  const child = Bun.spawn(["sh", "-c", `${before}; exec bun -e "$0"`, script], {
    stdout: "pipe",
    stderr: "ignore",
  });
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  return { key: lines.at(-1), isMaker: lines[0] === "made", code: await child.exited };
}

test("processes that start at once make one key, which only their user may read", async () => {
  const made = await Promise.all(Array.from({ length: PROCESSES }, () => keyElsewhere()));
  expect(new Set(made.map(({ key }) => key))).toEqual(new Set([keyHere()]));
  expect(made.filter(({ isMaker }) => isMaker)).toHaveLength(1);
  expect(keyHere()).toHaveLength(64);
  expect(readdirSync(dataDir)).toEqual(["app-secret"]);
  expect(statSync(join(dataDir, "app-secret")).mode & 0o777).toBe(0o600);
}, 60_000);

test("a key that another process made a moment before stays, and is this one's too", () => {
  const theirs = Buffer.alloc(32, 7);
  let reads = 0;
  const place = {
    appSecret: undefined,
    get dataDir() {
      // Between the look for a key and the making of one.
      if (++reads === 2) writeFileSync(join(dataDir, "app-secret"), `${theirs.toString("base64")}\n`);
      return dataDir;
    },
  };
  let made = 0;
  const key = appSecret(place, () => {
    made += 1;
  });
  expect([Buffer.from(key).toString("hex"), made]).toEqual([theirs.toString("hex"), 0]);
  expect(readdirSync(dataDir)).toEqual(["app-secret"]);
});

test("a disk that is full at the first start leaves no key that is none", async () => {
  const { key, code } = await keyElsewhere("ulimit -f 0");
  expect([key, code === 0]).toEqual(["", false]);
  expect(readdirSync(dataDir)).toEqual([]);
  expect(keyHere()).toHaveLength(64);
});

test.each(["", "c2hvcnQ=\n"])("a file that holds no whole key is named, and stays: %j", (text) => {
  writeFileSync(join(dataDir, "app-secret"), text);
  expect(keyHere).toThrow(`DATA_DIR: ${dataDir}/app-secret holds no key of 32 bytes in base64`);
  expect(readdirSync(dataDir)).toEqual(["app-secret"]);
});
