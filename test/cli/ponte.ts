import { join } from "node:path";
import { ensureExecutable } from "../../scripts/build.ts";
import { runCli } from "../../src/cli/run.ts";
import { runProgram } from "../support/run-program.ts";

/**
 * The command line as one executable, which starts in a third of the time that the sources take: tests run it some hundred
 * times. Operators run the sources; so do the tests of its help and of its sandbox. Made before any test's time begins.
 */
export const COMMAND_LINE = await ensureExecutable({
  path: join(import.meta.dir, "../../.cache/tests/ponte"),
  entrypoints: ["src/cli/main.ts"],
});

/** What commands are told of a database, with `testSecrets`' key, and of the sandbox that is Meta and Telegram to them. */
export function commandEnvironment(
  database: { readonly url: string },
  outside?: { readonly url: string },
): Record<string, string> {
  return {
    DATABASE_URL: database.url,
    APP_SECRET: Buffer.alloc(32, 7).toString("base64"),
    ...(outside && {
      TELEGRAM_API_URL: outside.url,
      META_GRAPH_URL: outside.url,
      PUBLIC_URL: "https://go.example.com",
    }),
  };
}

/** Runs the command line as a process of its own, with no more environment than is given. */
export function ponte(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input = "",
) {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, ...environment };
  return runProgram([COMMAND_LINE, ...args], { input, env });
}

/** Runs it in this process, with somebody at the terminal who answers every question so. */
export async function ponteAsked(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  isMeant: boolean,
) {
  const out: string[] = [];
  const err: string[] = [];
  const asked: string[] = [];
  const code = await runCli(args, {
    environment,
    isInteractive: true,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    progress: () => undefined,
    confirm: async (question) => {
      asked.push(question);
      return isMeant;
    },
    readSecret: async () => "",
  });
  return { code, out, err, asked };
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
