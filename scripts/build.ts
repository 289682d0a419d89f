import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const DIST = join(ROOT, "dist");
const PROGRAM = join(DIST, "ponte");
/** Says for which Bun and which place the program was made; as old as the beginning of that. */
const MARK = "made-for";
const MADE_FOR = `Bun ${Bun.version} in ${ROOT}\n`;
const SOURCES = ["{package.json,bun.lock,tsconfig.json}", "scripts/build.ts", "{src,views,patches}/**/*"];

/**
 * Makes `dist/ponte`, which servers run: one executable of Bun itself, the server and the thread that writes, with the
 * engine's bytecode, so that a start parses nothing and reads little. Does nothing where no source is newer. Migrations,
 * style sheets and scripts for browsers stay where they lie, and are found by this checkout's whole path.
 *
 * @returns its path
 */
export async function ensureProgram(): Promise<string> {
  if (isUpToDate()) return PROGRAM;
  const startedAt = new Date();
  // Made elsewhere and moved into place whole: who starts meanwhile finds no half of it.
  const made = join(ROOT, ".cache", `dist-${process.pid}`);
  mkdirSync(made, { recursive: true });
  await Bun.build({
    entrypoints: [join(ROOT, "src/main.ts"), join(ROOT, "src/writer/thread.ts")],
    compile: { outfile: join(made, "ponte") },
    target: "bun",
    // The format in which `import.meta.dir` is the source's own folder. Nothing is minified, which gains a millisecond,
    // and there is no source map, which the first stack trace would read whole: an error's lines are those of the text
    // that is inside.
    format: "cjs",
    bytecode: true,
    define: {
      "process.env.NODE_ENV": JSON.stringify("production"),
      // By its place inside.
      WRITER_THREAD: JSON.stringify("./writer/thread.js"),
    },
  });
  writeFileSync(join(made, MARK), MADE_FOR);
  // What changes while it is made is newer.
  utimesSync(join(made, MARK), startedAt, startedAt);
  rmSync(DIST, { recursive: true, force: true });
  renameSync(made, DIST);
  return PROGRAM;
}

function isUpToDate(): boolean {
  try {
    const mark = join(DIST, MARK);
    const madeMs = statSync(mark).mtimeMs;
    const files = SOURCES.flatMap((glob) => [...new Bun.Glob(glob).scanSync({ cwd: ROOT, absolute: true })]);
    return readFileSync(mark, "utf8") === MADE_FOR && files.every((file) => changedMs(file) < madeMs);
  } catch {
    // There is none yet.
    return false;
  }
}

/** When the file came here or was changed; unpacked from an archive it says an older time of change. */
function changedMs(file: string): number {
  const { mtimeMs, ctimeMs } = statSync(file);
  return Math.max(mtimeMs, ctimeMs);
}

if (import.meta.main) await ensureProgram();
