import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/**
 * Runs a program to its end; in the repository, with this process's environment, unless something else is said. Answers
 * what it said, and the code that it ended with.
 */
export async function runProgram(
  command: readonly string[],
  {
    input = "",
    cwd = ROOT,
    env = process.env,
  }: { input?: string; cwd?: string; env?: Readonly<Record<string, string | undefined>> } = {},
) {
  const child = Bun.spawn([...command], {
    cwd,
    env,
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}
