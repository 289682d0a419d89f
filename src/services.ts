import type { Deps } from "./deps.ts";
import { funnelOnSettled } from "./funnel/on-settled.ts";
import { telegramDestination } from "./funnel/telegram-destination.ts";
import { createDispatcher, type Dispatcher } from "./outbox/dispatcher.ts";
import { createExpireWaiting } from "./outbox/expire-waiting.ts";
import { liftSealed } from "./outbox/lift-sealed.ts";
import { metaDestination } from "./outbox/meta-destination.ts";
import { createRetention } from "./outbox/retention.ts";
import { createExpiry } from "./payments/expire.ts";
import { createSales } from "./payments/sales.ts";
import { createBotHealth } from "./pools/bot-health.ts";
import { telegramBotApi } from "./pools/telegram-bot-api.ts";
import { createRollups } from "./rollups/rollups.ts";

/** What a process does besides answering requests. */
export interface Services {
  stop(): Promise<void>;
}

/** The dispatcher of a process, with every destination it can send to. */
export function openDispatcher(deps: Deps): Dispatcher {
  return createDispatcher({ ...deliveryDeps(deps), onRequest: deps.metrics.onDelivery });
}

function deliveryDeps({ db, log, now, secrets, config, payments }: Deps) {
  return {
    db,
    log,
    onSettled: funnelOnSettled({ db, now }),
    adapters: {
      meta: metaDestination({
        db,
        secrets,
        graphUrl: config.meta.graphUrl,
        graphVersion: config.meta.graphVersion,
      }),
      telegram: telegramDestination({
        db,
        secrets,
        apiUrl: config.telegramApiUrl,
        sales: createSales(payments),
      }),
    },
  };
}

/**
 * Starts the schedules that the process's role asks for.
 *
 * @param hourlyAfterMs when what is done once an hour is done first, if not when it usually is
 */
export async function startServices(deps: Deps, hourlyAfterMs?: number): Promise<Services> {
  if (deps.config.role === "web") return { stop: async () => undefined };
  const dispatcher = openDispatcher(deps);
  const rollups = createRollups(deps);
  const retention = createRetention({ db: deps.db, log: deps.log, days: deps.config.retentionDays });
  const expiry = createExpiry(deps);
  const expireWaiting = createExpireWaiting(deliveryDeps(deps));
  const botHealth = createBotHealth({ ...deps, telegram: telegramBotApi(deps.config.telegramApiUrl) });
  const lifting = liftSealed(deps);
  dispatcher.start();
  rollups.start();
  retention.start(hourlyAfterMs);
  expiry.start();
  expireWaiting.start(hourlyAfterMs);
  botHealth.start();
  return {
    async stop() {
      await Promise.all([
        lifting,
        rollups.stop(),
        retention.stop(),
        expiry.stop(),
        expireWaiting.stop(),
        botHealth.stop(),
      ]);
      await dispatcher.stop();
    },
  };
}
