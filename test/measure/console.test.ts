import { expect, test } from "bun:test";
import { runProgram } from "../support/run-program.ts";

test.each([
  ["--help", 0, "Usage: bun scripts/measure/console.ts"],
  ["--rowz", 2, "'--rowz'"],
  ["--rows=many", 2, '✗ --rows takes whole numbers above 0, not "many"'],
])("the console's measure answers %s", async (flag, code, text) => {
  const ran = await runProgram([process.execPath, "scripts/measure/console.ts", flag]);
  expect(code === 0 ? ran.out : ran.err).toContain(text);
  expect(ran.out + ran.err).not.toContain("    at ");
  expect(ran.code).toBe(code);
});
