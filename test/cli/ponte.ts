import { join } from "node:path";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");

/** Runs the command line as a process of its own, with no more environment than is given. */
export async function ponte(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Ran> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...environment },
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

/** The answer of a command that was asked for JSON and must succeed. */
export async function ponteJson(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<unknown> {
  const ran = await ponte([...args, "--json"], environment);
  if (ran.code !== 0) throw new Error(`ponte ${args.join(" ")} ended with ${ran.code}: ${ran.err}`);
  return JSON.parse(ran.out);
}
