import { ConfigError, readConfig } from "./config.ts";
import { serve } from "./serve.ts";

async function main(): Promise<void> {
  await serve(readConfig(process.env));
}

main().catch((error) => {
  if (error instanceof ConfigError) {
    for (const line of error.lines) console.error(line);
  } else {
    console.error(error instanceof Error ? `Ponte could not start: ${error.message}` : error);
  }
  process.exit(1);
});
