import { expect, test } from "bun:test";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

test.each([
  ["--help", 0],
  ["--rowz", 2],
])("the console's measure answers %s with how it is used", async (flag, code) => {
  const child = Bun.spawn([process.execPath, "scripts/measure/console.ts", flag], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(code === 0 ? out : err).toContain("Usage: bun scripts/measure/console.ts");
  expect(out + err).not.toContain("    at ");
  expect(await child.exited).toBe(code);
});
