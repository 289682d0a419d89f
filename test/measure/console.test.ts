import { expect, test } from "bun:test";
import { runProgram } from "../support/run-program.ts";

test.each([
  ["--help", 0],
  ["--rowz", 2],
])("the console's measure answers %s with how it is used", async (flag, code) => {
  const ran = await runProgram([process.execPath, "scripts/measure/console.ts", flag]);
  expect(code === 0 ? ran.out : ran.err).toContain("Usage: bun scripts/measure/console.ts");
  expect(ran.out + ran.err).not.toContain("    at ");
  expect(ran.code).toBe(code);
});
