import { ConfigError, readConfig } from "./config.ts";
import { createWriterThread } from "./writer/worker.ts";

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const writerThread = createWriterThread(config.database);
  // It imports and opens what it needs while this thread does the same.
  if (config.role !== "dispatcher") writerThread.start();
  const { serve } = await import("./serve.ts");
  await serve(config, writerThread);
}

main().catch((error) => {
  if (error instanceof ConfigError) {
    for (const line of error.lines) console.error(line);
  } else {
    console.error(error instanceof Error ? `Ponte could not start: ${error.message}` : error);
  }
  process.exit(1);
});
