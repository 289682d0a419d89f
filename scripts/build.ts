import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const DIST = join(ROOT, "dist");
const SERVER = join(DIST, "main.js");
/** Written last; says for which Bun and which place the bundle was made. */
const MARK = join(DIST, "made-for");
const MADE_FOR = `Bun ${Bun.version} in ${ROOT}\n`;
const SOURCES = ["{package.json,bun.lock}", "scripts/build.ts", "{src,views,patches}/**/*"];

/**
 * Makes `dist/`, which servers run: `main.js` and the thread that writes, a file each, with the engine's
 * bytecode beside it, so that a start parses nothing. Does nothing where no source is newer. It is the program alone:
 * migrations, style sheets and scripts for browsers stay where they lie, and are found by this checkout's whole path.
 *
 * @returns the path of the server's file
 */
export async function ensureBundle(): Promise<string> {
  if (isUpToDate()) return SERVER;
  rmSync(MARK, { force: true });
  await Bun.build({
    entrypoints: [join(ROOT, "src/main.ts"), join(ROOT, "src/writer/thread.ts")],
    outdir: DIST,
    naming: "[name].[ext]",
    target: "bun",
    // The one format that Bun makes bytecode beside. Nothing is minified, which gains nothing then, and there is no
    // source map, which the first stack trace would read whole: an error's lines are those of a file one can read.
    format: "cjs",
    bytecode: true,
    define: {
      "process.env.NODE_ENV": JSON.stringify("production"),
      WRITER_THREAD: JSON.stringify(join(DIST, "thread.js")),
    },
  });
  writeFileSync(MARK, MADE_FOR);
  return SERVER;
}

function isUpToDate(): boolean {
  try {
    const madeMs = statSync(MARK).mtimeMs;
    const files = SOURCES.flatMap((glob) => [...new Bun.Glob(glob).scanSync({ cwd: ROOT, absolute: true })]);
    return readFileSync(MARK, "utf8") === MADE_FOR && files.every((file) => statSync(file).mtimeMs < madeMs);
  } catch {
    // There is none yet.
    return false;
  }
}

if (import.meta.main) await ensureBundle();
