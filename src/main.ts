import { ConfigError, readConfig } from "./config.ts";
import { createVisitThread } from "./redirect/visit-thread.ts";

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const visitThread = createVisitThread(config.database);
  // It imports and opens what it needs while this thread does the same.
  if (config.role !== "dispatcher") visitThread.start();
  const { serve } = await import("./serve.ts");
  await serve(config, visitThread);
}

main().catch((error) => {
  if (error instanceof ConfigError) {
    for (const line of error.lines) console.error(line);
  } else {
    console.error(error instanceof Error ? `Ponte could not start: ${error.message}` : error);
  }
  process.exit(1);
});
