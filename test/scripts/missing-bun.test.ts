import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/lib/free-port.ts";

const LIB = join(import.meta.dir, "../../scripts/lib");
const TOOLS = ["bash", "env", "mkdir", "node", "npm", "sh"];

test("where npm cannot bring Bun, npm's own words say why", async () => {
  const root = mkdtempSync(join(tmpdir(), "ponte-bun-"));
  const bin = join(root, "bin");
  mkdirSync(bin);
  for (const tool of TOOLS) symlinkSync(Bun.which(tool) ?? tool, join(bin, tool));
  const child = Bun.spawn([join(bin, "bash"), "-euc", `. "${LIB}/ui.sh"; . "${LIB}/tools.sh"; ensure_bun`], {
    env: {
      PATH: bin,
      HOME: root,
      root,
      npm_config_registry: `http://127.0.0.1:${freePort()}/`,
      npm_config_fetch_retries: "0",
    },
    stderr: "pipe",
  });
  const said = await new Response(child.stderr).text();
  expect(await child.exited).toBe(1);
  rmSync(root, { recursive: true, force: true });
  expect(said).toContain("ECONNREFUSED");
  expect(said).toEndWith("✗ Bun could not be installed from npm; see the lines above.\n");
});
