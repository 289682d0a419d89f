import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

/** Without waiting for one another, some of every hundred fail. */
const FILES = 250;

test("two threads may open one new SQLite file at once, as a server and its writer do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ponte-opening-"));
  const paths = Array.from({ length: FILES }, (_, n) => join(folder, `${n}.db`));
  const arrivals = new Int32Array(new SharedArrayBuffer(4 * FILES));
  const failuresOf = (): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const thread = new Worker(new URL("./opening-thread.ts", import.meta.url), {
        workerData: { paths, arrivals },
      });
      thread.on("message", resolve);
      thread.on("error", reject);
    });
  const failures = await Promise.all([failuresOf(), failuresOf()]);
  rmSync(folder, { recursive: true });
  expect(failures.flat()).toEqual([]);
}, 60_000);
