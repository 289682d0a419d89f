import { expect, test } from "bun:test";
import { Glob } from "bun";

const SANDBOX = `${import.meta.dir}/../../src/sandbox`;

test("the sandbox shares no code with what it tests: it imports packages and its own folder only", async () => {
  const foreign: string[] = [];
  let imports = 0;
  for await (const file of new Glob("**/*.{ts,tsx}").scan(SANDBOX)) {
    const source = await Bun.file(`${SANDBOX}/${file}`).text();
    for (const [, path = ""] of source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      imports += 1;
      if (path.startsWith("..") || path.startsWith("/")) foreign.push(`${file} imports ${path}`);
    }
  }
  expect(imports).toBeGreaterThan(30);
  expect(foreign).toEqual([]);
});
