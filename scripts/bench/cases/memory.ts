import type { Bench, BenchCase, Figures } from "../case.ts";
import { clicks } from "../load/clicks.ts";
import { rate } from "../load/wrk.ts";
import { figure } from "../report.ts";
import { seedPools } from "../seed.ts";
import { freshSqlite } from "../servers/databases.ts";
import { startPonte, startSandboxProcess } from "../servers/ponte.ts";

const CONNECTIONS = 64;

export const memoryCase: BenchCase = {
  name: "memory",
  title: "memory (RSS) at the end of the load, one process with its dispatcher, SQLite",
  yardstick: "the same process after a tenth of the load's time",
  unit: "MiB",
  bar: { kind: "at-most", ratio: 1.3 },
  limit: { atMost: 250 },
  needs: ["wrk"],
  run: measureMemory,
};

/** One round: what is asked is whether memory grows, and a second load would begin where the first ended. */
async function measureMemory({ effort, folder, say }: Bench): Promise<Figures> {
  const place = await freshSqlite(folder);
  await seedPools(place.db);
  const sandbox = await startSandboxProcess();
  const ponte = await startPonte({ ...place, graphUrl: sandbox.url, role: "all" });
  const earlySeconds = Math.max(1, Math.round(effort.memorySeconds / 10));
  try {
    await clicks(ponte.url, CONNECTIONS, earlySeconds);
    const early = ponte.residentMiB();
    say(`${early.toFixed(0)} MiB after ${earlySeconds} s`);
    const lateSeconds = Math.max(1, effort.memorySeconds - earlySeconds);
    const summary = await clicks(ponte.url, CONNECTIONS, lateSeconds);
    const late = ponte.residentMiB();
    say(`${late.toFixed(0)} MiB after ${effort.memorySeconds} s`);
    return {
      ours: [late],
      yardstick: [early],
      beside: [{ name: "load", figure: `${figure(rate(summary))} clicks/s for ${effort.memorySeconds} s` }],
    };
  } finally {
    await ponte.stop();
    await sandbox.stop();
    await place.db.close();
  }
}
