import { ConfigError, readConfig } from "./config.ts";
import { serve } from "./serve.ts";

async function main(): Promise<void> {
  // Databases, spool and keys are nobody else's on this machine.
  process.umask(0o077);
  await serve(readConfig(process.env));
}

main().catch(async (error) => {
  if (error instanceof ConfigError) {
    for (const line of error.lines) console.error(line);
  } else {
    const { failureText } = await import("./cli/failure.ts");
    console.error(`Ponte could not start: ${failureText(error, process.env)}`);
  }
  process.exit(1);
});
