import { providerNames } from "./config/payments.ts";
import type { Config } from "./config.ts";
import { VISITORS_FIRST_MS } from "./door.ts";
import { openEarlyDoor } from "./early-door.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { askedToStop, endWhenAsked } from "./platform/asked-to-stop.ts";

/**
 * Lets visitors in, where they can be let in that soon, then loads the program and runs it until a signal ends it.
 *
 * @throws what it cannot start without
 */
export async function serve(config: Config): Promise<void> {
  endWhenAsked();
  const metrics = createMetrics(providerNames(config.payments));
  const door = await openEarlyDoor(config, metrics);
  // Whoever is let in is answered before the process ends.
  const early = door && { ...door, stopAsked: askedToStop() };
  if (early) await Bun.sleep(VISITORS_FIRST_MS);
  const { run } = await import("./run.ts");
  await run(config, metrics, early);
}
