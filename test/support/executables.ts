import { join } from "node:path";
import { ensureExecutable, ensureProgram } from "../../scripts/build.ts";

const FOLDER = join(import.meta.dir, "../../.cache/tests");

/** `dist/ponte`, as servers run it. */
export const serverProgram = once(ensureProgram);

/**
 * The command line as one executable, which starts in a third of the time that the sources take: tests run it some hundred
 * times. `./scripts/start` and its smoke run use the sources, as operators do.
 */
export const commandLine = once(() =>
  ensureExecutable({ path: join(FOLDER, "ponte"), entrypoints: ["src/cli/main.ts"] }),
);

/** `sale-and-die.ts`, which dies before each of the steps of a sale in turn. */
export const saleAndDie = once(() =>
  ensureExecutable({
    path: join(FOLDER, "sale-and-die"),
    entrypoints: ["test/support/sale-and-die.ts"],
    sources: ["test/support/*"],
  }),
);

/** Sources do not change while tests run. */
function once(make: () => Promise<string>): () => Promise<string> {
  let made: Promise<string> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
