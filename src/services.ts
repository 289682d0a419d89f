import { createBotHealth } from "./bots/bot-health.ts";
import { telegramBotApi } from "./bots/telegram-bot-api.ts";
import type { Deps } from "./deps.ts";
import { funnelOnSettled } from "./funnel/on-settled.ts";
import { telegramDestination } from "./funnel/telegram-destination.ts";
import { createDispatcher, type Dispatcher } from "./outbox/dispatcher.ts";
import { createExpireWaiting } from "./outbox/expire-waiting.ts";
import { metaDestination } from "./outbox/meta-destination.ts";
import { createMisdatedSweep } from "./outbox/misdated.ts";
import { resumeSealed } from "./outbox/resume-sealed.ts";
import { createExpiry } from "./payments/expire.ts";
import { createSales } from "./payments/sales.ts";
import { createRetention } from "./retention/retention.ts";
import { createRollups } from "./rollups/rollups.ts";

/** What a process does besides answering requests. */
export interface Services {
  stop(): Promise<void>;
}

/** The dispatcher of a process, with every destination it can send to. */
export function openDispatcher(deps: Deps, delivery = openDelivery(deps)): Dispatcher {
  return createDispatcher({ ...delivery, onRequest: deps.metrics.onDelivery });
}

function openDelivery({ db, log, now, secrets, config, payments }: Deps) {
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

/** A process that has just started first sends the events that waited for it. */
const HOURLY_AFTER_MS = 10_000;

/**
 * Starts the schedules that the process's role asks for.
 *
 * @param hourlyAfterMs how long what is done once an hour waits to be done first
 */
export async function startServices(deps: Deps, hourlyAfterMs = HOURLY_AFTER_MS): Promise<Services> {
  if (deps.config.role === "web") return { stop: async () => undefined };
  const delivery = openDelivery(deps);
  const dispatcher = openDispatcher(deps, delivery);
  const often = [
    createRollups(deps),
    createExpiry(deps),
    createMisdatedSweep(deps),
    createBotHealth({ ...deps, telegram: telegramBotApi(deps.config.telegramApiUrl) }),
  ];
  const hourly = [
    createRetention({ ...deps, days: deps.config.retentionDays }),
    createExpireWaiting(delivery),
  ];
  const resuming = resumeSealed(deps);
  dispatcher.start();
  for (const work of often) work.start();
  for (const work of hourly) work.start(hourlyAfterMs);
  return {
    async stop() {
      // All at once: the dispatcher would go on taking rows while others finish, and could be cut off with them.
      await Promise.all([dispatcher.stop(), resuming, ...[...often, ...hourly].map((work) => work.stop())]);
    },
  };
}
