import { expect, test } from "bun:test";
import { join } from "node:path";

const FREE_PORT = join(import.meta.dir, "../../scripts/lib/free-port.ts");

/** A process that begins to look where the others do, and says what it found. */
function finder() {
  const find = `
    Math.random = () => 0.5;
    const { freePort } = await import(${JSON.stringify(FREE_PORT)});
    console.log(freePort());
    await Bun.stdin.text();`;
  return Bun.spawn(["bun", "-e", find], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
}

// Elsewhere nothing keeps two that look at the same moment apart (see `take`).
test.if(process.platform === "linux")(
  "processes that look for a port at the same place find different ones, before anybody listens there",
  async () => {
    const finders = [finder(), finder(), finder()];
    const found = finders.map(async ({ stdout }) => {
      const { value } = await stdout.getReader().read();
      return Number(new TextDecoder().decode(value));
    });
    expect(new Set(await Promise.all(found)).size).toBe(3);
    for (const { stdin } of finders) stdin.end();
    expect(await Promise.all(finders.map(({ exited }) => exited))).toEqual([0, 0, 0]);
  },
  20_000,
);
