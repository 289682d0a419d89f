import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { migrationPlan } from "../src/db/migration-plan.ts";

const ROOT = join(import.meta.dir, "..");
/** Says for which Bun and which place an executable was made; as old as the beginning of that. */
const MARK = ".made-for";
const MADE_FOR = `Bun ${Bun.version} in ${ROOT}\n`;
const SOURCES = [
  "{package.json,bun.lock,tsconfig.json}",
  "scripts/build.ts",
  "{src,views,patches,drizzle}/**/*",
];

/**
 * Makes `dist/ponte`, which servers run: the server and the thread that writes. Style sheets and scripts for browsers stay
 * where they lie, and are found by this checkout's whole path.
 *
 * @returns its path
 */
export const ensureProgram = (): Promise<string> =>
  ensureExecutable({
    path: join(ROOT, "dist/ponte"),
    entrypoints: ["src/main.ts", "src/writer/thread.ts"],
    // By its place inside.
    define: { WRITER_THREAD: JSON.stringify("./writer/thread.js") },
  });

/**
 * Makes one executable of Bun itself and some of the sources, with the engine's bytecode, so that a start parses nothing
 * and reads little. It carries the migrations of its version. Does nothing where no source is newer.
 *
 * @param entrypoints files of the repository, of which the first is the one that runs
 * @param sources globs of what else it is made of
 * @returns its path
 */
export async function ensureExecutable({
  path,
  entrypoints,
  sources = [],
  define = {},
}: {
  readonly path: string;
  readonly entrypoints: readonly string[];
  readonly sources?: readonly string[];
  readonly define?: Readonly<Record<string, string>>;
}): Promise<string> {
  if (isUpToDate(path, [...SOURCES, ...sources])) return path;
  const startedAt = new Date();
  const folder = join(ROOT, ".cache", `made-${basename(path)}-${process.pid}`);
  const made = join(folder, "executable");
  const mark = made + MARK;
  mkdirSync(folder, { recursive: true });
  mkdirSync(dirname(path), { recursive: true });
  await Bun.build({
    entrypoints: entrypoints.map((file) => join(ROOT, file)),
    compile: { outfile: made },
    target: "bun",
    // The format in which `import.meta.dir` is the source's own folder. Nothing is minified, which gains a millisecond,
    // and there is no source map, which the first stack trace would read whole: an error's lines are those of the text
    // that is inside.
    format: "cjs",
    bytecode: true,
    define: {
      "process.env.NODE_ENV": JSON.stringify("production"),
      MIGRATION_PLANS: JSON.stringify({
        sqlite: migrationPlan("sqlite"),
        postgres: migrationPlan("postgres"),
      }),
      ...define,
    },
  });
  writeFileSync(mark, MADE_FOR);
  // What changes while it is made is newer.
  utimesSync(mark, startedAt, startedAt);
  // Made elsewhere and moved into place whole: who starts it meanwhile has the old or the new. The mark comes last.
  renameSync(made, path);
  renameSync(mark, path + MARK);
  rmSync(folder, { recursive: true });
  return path;
}

function isUpToDate(path: string, globs: readonly string[]): boolean {
  try {
    statSync(path);
    const mark = path + MARK;
    const madeMs = statSync(mark).mtimeMs;
    const files = globs.flatMap((glob) => [...new Bun.Glob(glob).scanSync({ cwd: ROOT, absolute: true })]);
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
