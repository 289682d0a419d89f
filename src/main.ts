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

main().catch(async (error) => {
  if (error instanceof ConfigError) {
    for (const line of error.lines) console.error(line);
  } else {
    const { failureText } = await import("./cli/failure.ts");
    console.error(`Ponte could not start: ${failureText(error, process.env)}`);
  }
  process.exit(1);
});
