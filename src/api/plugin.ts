import { Elysia } from "elysia";
import type { BotDeps } from "../bots/connect-bot.ts";
import type { Config } from "../config.ts";
import type { Log } from "../platform/log.ts";
import type { ErasureDeps } from "../privacy/erase.ts";
import { botsApi } from "./bots.ts";
import { keysApi } from "./keys.ts";
import { offersApi } from "./offers.ts";
import { outboxApi } from "./outbox.ts";
import { outboxRoutesApi } from "./outbox-routes.ts";
import { overviewApi } from "./overview.ts";
import { type PoolTrialDeps, poolTrialsApi } from "./pool-trials.ts";
import { poolsApi } from "./pools.ts";
import { privacyApi } from "./privacy.ts";
import { reportsApi } from "./reports.ts";
import { sessionsApi } from "./sessions.ts";

interface ApiDeps extends BotDeps, ErasureDeps, PoolTrialDeps {
  readonly log: Log;
  readonly config: Config;
}

/** The operators' JSON API. */
export function apiPlugin(deps: ApiDeps) {
  return new Elysia({ name: "api" })
    .use(poolsApi(deps))
    .use(poolTrialsApi(deps))
    .use(botsApi(deps))
    .use(offersApi(deps))
    .use(sessionsApi(deps))
    .use(overviewApi(deps))
    .use(reportsApi(deps))
    .use(privacyApi(deps))
    .use(outboxRoutesApi(deps))
    .use(outboxApi(deps))
    .use(keysApi(deps));
}
