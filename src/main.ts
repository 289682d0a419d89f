import { ConfigError, readConfig } from "./config.ts";
import { refuseUnreadEnvFile } from "./platform/env-file.ts";
import { serve } from "./serve.ts";

const USAGE = `The server takes no arguments: its settings come from the environment, and the README lists them.
Commands, such as doctor and outbox: bun run ponte --help`;

async function main(): Promise<void> {
  const [argument] = process.argv.slice(2);
  if (argument !== undefined) explain(argument);
  // Databases, spool and keys are nobody else's on this machine.
  process.umask(0o077);
  refuseUnreadEnvFile();
  await serve(readConfig(process.env));
}

/** Whoever gives the server an argument wants something else than a server. */
function explain(argument: string): never {
  if (argument === "--help" || argument === "-h") {
    console.log(USAGE);
    process.exit(0);
  }
  console.error(`unknown argument "${argument}"\n${USAGE}`);
  process.exit(2);
}

main().catch(async (error) => {
  for (const line of await linesOf(error)) console.error(line);
  process.exit(1);
});

/** What is wrong, and what was perhaps meant: a setting that is missing may stand under a misspelt name. */
async function linesOf(error: unknown): Promise<string[]> {
  const { misspeltLines } = await import("./platform/misspelt.ts");
  const questions = misspeltLines(process.env);
  if (error instanceof ConfigError) return [...error.lines, ...questions];
  const { failureText } = await import("./cli/failure.ts");
  return [`Ponte could not start: ${failureText(error, process.env)}`, ...questions];
}
