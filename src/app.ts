import { Elysia } from "elysia";
import { version } from "../package.json";
import { createAuthorize, keysWith } from "./api/authorize.ts";
import { openapiPlugin } from "./api/openapi.ts";
import { apiPlugin } from "./api/plugin.ts";
import { assetsPlugin } from "./assets/plugin.ts";
import { telegramBotApi } from "./bots/telegram-bot-api.ts";
import { ownAddressPlugin } from "./cookies/plugin.ts";
import type { Deps } from "./deps.ts";
import { funnelPlugin } from "./funnel/plugin.ts";
import { observePlugin } from "./health/observe.ts";
import { healthPlugin } from "./health/plugin.ts";
import { opsPlugin } from "./ops/plugin.ts";
import { paymentsPlugin } from "./payments/plugin.ts";
import { createSales } from "./payments/sales.ts";
import { wholePathPlugin } from "./platform/whole-path.ts";
import { clientAddressFinder } from "./redirect/client-address.ts";
import { emptyApp } from "./visitors-app.ts";

/** What answers everybody but visitors: bots, payment providers, operators, and who asks after the process's health. */
export function otherDoors(deps: Deps) {
  const { config, metrics } = deps;
  const clientAddress = clientAddressFinder(config.trustedProxies);
  const authorize = createAuthorize({ ...deps, apiKey: config.apiKey });
  const mayRead = keysWith("read", authorize);
  const mayWrite = keysWith("write", authorize);
  return new Elysia({ name: "other-doors", normalize: false })
    .use(observePlugin({ metrics, isTrustedProxy: clientAddress.isTrusted }))
    .use(wholePathPlugin())
    .use(healthPlugin({ ...deps, build: { version, role: config.role }, mayRead }))
    .use(ownAddressPlugin({ clientAddress }))
    .use(assetsPlugin(deps.assets))
    .use(paymentsPlugin({ ...deps.payments, authorize: mayWrite }))
    .use(
      funnelPlugin({
        ...deps,
        sales: createSales(deps.payments),
        recallVisit: deps.recorder.recall,
        consentDenied: config.consentDenied,
        authorize: mayWrite,
      }),
    )
    .use(
      apiPlugin({
        ...deps,
        authorize,
        telegram: telegramBotApi(config.telegramApiUrl),
        publicUrl: config.publicUrl,
        clientAddress,
      }),
    )
    .use(openapiPlugin({ version }))
    .use(opsPlugin({ ...deps, clientAddress }));
}

/**
 * What a process that only dispatches answers: whether it is well, and its numbers. A visitor who was sent to it by
 * mistake is told that nothing is here, instead of being taken in by a process that is sized for something else.
 */
export function createDispatcherApp(deps: Deps) {
  const { config, metrics } = deps;
  const clientAddress = clientAddressFinder(config.trustedProxies);
  const authorize = createAuthorize({ ...deps, apiKey: config.apiKey });
  const mayRead = keysWith("read", authorize);
  return emptyApp(deps, clientAddress)
    .use(observePlugin({ metrics, isTrustedProxy: clientAddress.isTrusted }))
    .use(healthPlugin({ ...deps, build: { version, role: config.role }, mayRead }));
}
