import type { Deps } from "./deps.ts";
import { createDispatcher, type Dispatcher } from "./outbox/dispatcher.ts";
import { metaDestination } from "./outbox/meta-destination.ts";

/** What a process does besides answering requests. */
export interface Services {
  stop(): Promise<void>;
}

/** The dispatcher of a process, with every destination it can send to. */
export function openDispatcher({ db, log, secrets, config, metrics }: Deps): Dispatcher {
  return createDispatcher({
    db,
    log,
    onRequest: metrics.onDelivery,
    adapters: {
      meta: metaDestination({
        db,
        secrets,
        graphUrl: config.meta.graphUrl,
        graphVersion: config.meta.graphVersion,
      }),
    },
  });
}

/** Starts the schedules that the process's role asks for. */
export async function startServices(deps: Deps): Promise<Services> {
  if (deps.config.role === "web") return { stop: async () => undefined };
  const dispatcher = openDispatcher(deps);
  dispatcher.start();
  return { stop: () => dispatcher.stop() };
}
