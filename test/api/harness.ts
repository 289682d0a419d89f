import { randomBytes } from "node:crypto";
import { Elysia } from "elysia";
import { createAuthorize } from "../../src/api/authorize.ts";
import { openapiPlugin } from "../../src/api/openapi.ts";
import { apiPlugin } from "../../src/api/plugin.ts";
import type { BotApi } from "../../src/bots/bot-api.ts";
import { readConfig } from "../../src/config.ts";
import { openSpool } from "../../src/db/spool/spool.ts";
import type { KeyScope } from "../../src/db/vocabulary.ts";
import { createLog } from "../../src/platform/log.ts";
import { refusalOf } from "../../src/platform/refusal.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { clientAddressFinder } from "../../src/redirect/client-address.ts";
import { noTrackingStore } from "../../src/tracking/tracking-store.ts";
import { contractOf } from "../support/contract.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { makeApiKey } from "../support/keys.ts";

export const ENVIRONMENT_KEY = "environment-key-0123456789";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the answer is no JSON, or has no body as to HEAD. */
  readonly body: unknown;
}

export interface Harness {
  readonly own: TestDatabase;
  readonly clock: { at: Date };
  newKey(scope: KeyScope, name?: string): Promise<string>;
  /** A call with the environment's key, unless another (or none: null) is given. */
  call(method: string, path: string, body?: unknown, key?: string | null): Promise<Answer>;
  /** @throws Error where the answer is not as the OpenAPI document says */
  send(request: Request): Promise<Answer>;
}

/** Telegram knows the token `7:good` as @good_bot and nothing else. */
const telegram: BotApi = {
  identify: async (token) =>
    token === "7:good"
      ? { kind: "known", telegramId: "7", username: "good_bot" }
      : { kind: "refused", reason: "Unauthorized" },
  setWebhook: async () => ({ kind: "done" }),
  deleteWebhook: async () => ({ kind: "done" }),
  webhookInfo: async () => ({ kind: "unreachable", reason: "not asked here" }),
};

export async function openHarness({ graphUrl = "http://127.0.0.1:9" } = {}): Promise<Harness> {
  const own = await createTestDatabase();
  const clock = { at: new Date("2025-01-01T00:00:00.000Z") };
  const now = () => clock.at;
  const log = createLog("silent");
  const authorize = createAuthorize({ db: own.db, now, log, apiKey: ENVIRONMENT_KEY });
  const secrets = createSecrets(randomBytes(32));
  const app = new Elysia({ normalize: false })
    // As the app does it.
    .onError(({ code, error }) => {
      return (
        refusalOf(error) ??
        new Response(`unexpected ${code}: ${error}`, { status: code === "NOT_FOUND" ? 404 : 500 })
      );
    })
    .use(
      apiPlugin({
        db: own.db,
        secrets,
        now,
        log,
        authorize,
        telegram,
        publicUrl: "https://go.example.com",
        config: readConfig({ PUBLIC_URL: "https://go.example.com", META_GRAPH_URL: graphUrl }),
        clientAddress: clientAddressFinder([]),
        spool: openSpool(":memory:"),
        trackingStore: noTrackingStore,
      }),
    )
    .use(openapiPlugin({ version: "0.0.0-test" }));

  const promised = await app.handle(new Request("http://localhost/openapi/json"));
  const keepsContract = contractOf(await promised.text());

  const send = async (request: Request): Promise<Answer> => {
    const response = await app.handle(request);
    await keepsContract(request, response);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : undefined,
    };
  };
  return {
    own,
    clock,
    send,
    newKey: async (scope, name = scope) => (await makeApiKey({ db: own.db, now }, name, scope)).key,
    call: (method, path, body, key = ENVIRONMENT_KEY) =>
      send(
        new Request(`http://localhost${path}`, {
          method,
          headers: {
            ...(key !== null && { authorization: `Bearer ${key}` }),
            ...(body !== undefined && { "content-type": "application/json" }),
          },
          ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
        }),
      ),
  };
}
