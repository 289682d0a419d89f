import { Elysia } from "elysia";
import { version } from "../package.json";
import { createAuthorize } from "./api/authorize.ts";
import { openapiPlugin } from "./api/openapi.ts";
import { apiPlugin } from "./api/plugin.ts";
import { assetsPlugin } from "./assets/plugin.ts";
import { cookiesPlugin } from "./cookies/plugin.ts";
import type { Deps } from "./deps.ts";
import { problem } from "./platform/problem.ts";
import { refusalOf } from "./platform/refusal.ts";
import { telegramBotApi } from "./pools/telegram-bot-api.ts";
import { createBridgePages } from "./redirect/bridge-pages.ts";
import { clientAddressFinder } from "./redirect/client-address.ts";
import { redirectPlugin } from "./redirect/plugin.ts";
import { createRateLimiter } from "./redirect/rate-limit.ts";
import { redisSharedCount } from "./redirect/shared-count.ts";

/** The whole HTTP side as one Elysia app; tests hand it requests with `app.handle`. */
export function createApp(deps: Deps) {
  const { config, log } = deps;
  const authorize = createAuthorize({ ...deps, apiKey: config.apiKey });
  return new Elysia({ name: "ponte", normalize: false })
    .onError(({ code, error, request, set }) => {
      if (code === "NOT_FOUND") return problem(404, { detail: "Nothing is here." });
      const refusal = refusalOf(error);
      if (refusal) return refusal;
      if (code === "PARSE") {
        return problem(400, { detail: "The request could not be understood." });
      }
      if (error instanceof URIError)
        return problem(400, { detail: "The address is not valid percent-encoding." });
      log.error({ error, method: request.method, status: set.status }, "a request failed");
      return problem(500, { detail: "This is our fault and has been logged. Try again." });
    })
    .use(
      redirectPlugin({
        ...deps,
        rateLimiter: createRateLimiter(config.rateLimitPerHour, deps.redis && redisSharedCount(deps.redis)),
        bridgePages: createBridgePages(deps.assets.bridge),
        clientAddress: clientAddressFinder(config.trustedProxies),
        publicUrl: config.publicUrl,
        pageviewHoldMs: config.pageviewHoldMs,
      }),
    )
    .use(cookiesPlugin(deps))
    .use(assetsPlugin(deps.assets))
    .use(
      apiPlugin({
        ...deps,
        authorize,
        telegram: telegramBotApi(config.telegramApiUrl),
        publicUrl: config.publicUrl,
      }),
    )
    .use(openapiPlugin({ version }))
    .get("/healthz", () => new Response("ok\n", { headers: { "cache-control": "no-store" } }));
}

export type App = ReturnType<typeof createApp>;
