import { parentPort, workerData } from "node:worker_threads";
import { openSqlite } from "../../src/db/sqlite/sqlite.ts";

/** Opens each file in the same moment as another thread does; says what failed. */
const { paths, arrivals }: { paths: string[]; arrivals: Int32Array } = workerData;
const failures: string[] = [];
for (const [n, path] of paths.entries()) {
  Atomics.add(arrivals, n, 1);
  while (Atomics.load(arrivals, n) < 2);
  try {
    await openSqlite(path).close();
  } catch (error) {
    failures.push(String(error));
  }
}
parentPort?.postMessage(failures);
