import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../src/platform/log.ts";

const LOG = join(import.meta.dir, "../../src/platform/log.ts");
const LINES = 1_000;

test("a fatal line is written when its call returns, and what is not fatal before the process ends by itself", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ponte-log-"));
  const file = join(folder, "log");
  const speak = `
    const { createLog } = await import(${JSON.stringify(LOG)});
    const { fstatSync } = await import("node:fs");
    const log = createLog("info");
    let late = 0;
    for (let n = 0; n < ${LINES}; n++) {
      const { size } = fstatSync(1);
      log.fatal("the only place that keeps it");
      if (fstatSync(1).size === size) late++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    log.info({ late }, "the end");`;
  const child = Bun.spawn(["bun", "-e", speak], { stdout: Bun.file(file), stderr: "inherit" });
  expect(await child.exited).toBe(0);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  expect(lines).toHaveLength(LINES + 1);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ msg: "the end", late: 0 });
  rmSync(folder, { recursive: true });
}, 60_000);

test("a log on a full disk neither holds up the process nor ends it, and its end is a good one", async () => {
  // Said at the end of its own accord, which waits for all that is being written.
  const speak = `
    process.on("exit", () => console.error("it came to its end"));
    const { createLog } = await import(${JSON.stringify(LOG)});
    const log = createLog("info");
    for (let n = 0; n < 3; n++) {
      log.info("an hour's work");
      log.fatal("the only place that keeps it");
    }`;
  const child = Bun.spawn(["bun", "-e", speak], { stdout: Bun.file("/dev/full"), stderr: "pipe" });
  expect(await new Response(child.stderr).text()).toBe("it came to its end\n");
  expect(await child.exited).toBe(0);
}, 20_000);

test("lines that are fatal wait for room on a full disk, as many as memory bears", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ponte-log-"));
  const file = join(folder, "log");
  // A limit on the size of its files is as good as a full disk, and can be lifted.
  const speak = `
    const { createLog } = await import(${JSON.stringify(LOG)});
    const log = createLog("info");
    const line = "x".repeat(1024 * 1024);
    for (let n = 0; n < 200; n++) log.fatal({ n }, line);
    Bun.spawnSync(["prlimit", "--pid", String(process.pid), "--fsize=unlimited:"]);
    log.info({ n: "last" }, "there is room");`;
  const command = ["prlimit", "--fsize=0:", "bun", "-e", speak];
  const child = Bun.spawn(command, { stdout: Bun.file(file), stderr: "inherit" });
  expect(await child.exited).toBe(0);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const kept = lines.map((line): unknown => JSON.parse(line).n);
  expect(kept.shift()).toBe("last");
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => n));
  expect(kept.length).toBeWithin(60, 70);
  rmSync(folder, { recursive: true });
}, 60_000);

test("a reader that stands still has only so much kept for it, or memory would have no end", async () => {
  const speak = `
    const { createLog } = await import(${JSON.stringify(LOG)});
    const log = createLog("info");
    const line = "x".repeat(1024 * 1024);
    for (let n = 0; n < 200; n++) log.info({ n }, line);
    console.error("all is said");`;
  const child = Bun.spawn(["bun", "-e", speak], { stdout: "pipe", stderr: "pipe" });
  const { value } = await child.stderr.getReader().read();
  expect(new TextDecoder().decode(value)).toStartWith("all is said");
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  const kept = lines.map((line): number => JSON.parse(line).n);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => n));
  expect(kept.length).toBeWithin(60, 70);
}, 60_000);

test("whoever stops and whose log nobody reads ends all the same, without the lines that wait", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ponte-log-"));
  const pipe = join(folder, "pipe");
  Bun.spawnSync(["mkfifo", pipe]);
  const unread = openSync(pipe, "r+");
  const speak = `
    const { createLog } = await import(${JSON.stringify(LOG)});
    const log = createLog("info");
    for (let n = 0; n < 10; n++) log.info("x".repeat(64 * 1024));
    log.flush(() => process.exit(0));`;
  const child = Bun.spawn(["bun", "-e", speak], { stdout: unread, stderr: "inherit" });
  expect(await child.exited).toBe(0);
  closeSync(unread);
  rmSync(folder, { recursive: true });
}, 20_000);

test("a flush waits for every line before it", async () => {
  const speak = `
    const { createLog } = await import(${JSON.stringify(LOG)});
    const log = createLog("info");
    for (let n = 0; n < 1_000; n++) log.info({ n }, "x".repeat(1024));
    log.flush(() => process.kill(process.pid, "SIGKILL"));`;
  const child = Bun.spawn(["bun", "-e", speak], { stdout: "pipe", stderr: "inherit" });
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line).n)).toEqual(
    Array.from({ length: 1_000 }, (_, n) => n),
  );
}, 20_000);

test.each([
  "access_token",
  "accessToken",
  "metaAccessToken",
  "authorization",
  "cookie",
  "password",
  "secret",
  "token",
  "apiKey",
  "webhookSecret",
])("what is called %s is not shown, nor are secrets that stand in other words", (name) => {
  const lines: string[] = [];
  const log = createLog("info", { write: (line: string) => void lines.push(line) }, ["a known one"]);
  log.info(
    { [name]: "s3cret", one: { [name]: "s3cret", two: { [name]: "s3cret" } } },
    "with a known one in it",
  );
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    [name]: "[redacted]",
    one: { [name]: "[redacted]", two: { [name]: "[redacted]" } },
    msg: "with [redacted] in it",
  });
});
