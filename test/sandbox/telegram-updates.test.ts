import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { BOT_TOKEN, useSandbox } from "./client.ts";

const client = useSandbox();

interface Delivered {
  readonly secret: string | null;
  readonly update: Record<string, unknown>;
}
const delivered: Delivered[] = [];
let answer = () => new Response("ok");
const webhook = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    delivered.push({
      secret: request.headers.get("x-telegram-bot-api-secret-token"),
      update: await request.json(),
    });
    return answer();
  },
});
const WEBHOOK_URL = `http://127.0.0.1:${webhook.port}/telegram/1`;
afterAll(() => webhook.stop(true));

beforeEach(async () => {
  delivered.length = 0;
  answer = () => new Response("ok");
  await client.bot("deleteWebhook");
});

const push = (update: Record<string, unknown>) =>
  client.call("POST", "/telegram/updates", { token: BOT_TOKEN, update });
const START = { message: { message_id: 1, text: "/start abc", chat: { id: 42, type: "private" } } };

describe("an update", () => {
  test("is POSTed to the webhook with its secret, and the answer is handed back", async () => {
    const set = await client.bot("setWebhook", { url: WEBHOOK_URL, secret_token: "hush_1" });
    expect(set.json).toEqual({ ok: true, result: true, description: "Webhook was set" });
    answer = () => new Response("thanks", { status: 202 });
    const pushed = await push({ update_id: 900, ...START });
    expect(pushed.json).toMatchObject({ update_id: 900, status: 202, body: "thanks" });
    expect(delivered).toEqual([{ secret: "hush_1", update: { update_id: 900, ...START } }]);
  });

  test("without an update_id gets the bot's next one, and the same one can be pushed again", async () => {
    await client.bot("setWebhook", { url: WEBHOOK_URL });
    await push({ update_id: 2000, ...START });
    const [next, again] = [await push(START), await push({ update_id: 2001, ...START })];
    expect([next.json.update_id, again.json.update_id]).toEqual([2001, 2001]);
    expect(delivered.map(({ secret, update }) => [secret, update.update_id])).toEqual([
      [null, 2000],
      [null, 2001],
      [null, 2001],
    ]);
  });

  test("is not sent where allowed_updates leave its kind out, as Telegram would not", async () => {
    await client.bot("setWebhook", { url: WEBHOOK_URL, allowed_updates: ["message"] });
    const pushed = await push({ pre_checkout_query: { id: "1" } });
    expect(pushed.status).toBe(409);
    expect(pushed.json.error).toContain('leave out "pre_checkout_query"');
    expect(delivered).toEqual([]);
  });

  test("without a webhook, for a malformed token or in a malformed request is refused", async () => {
    expect((await push(START)).status).toBe(409);
    expect((await client.call("POST", "/telegram/updates", { token: "x", update: START })).status).toBe(404);
    expect((await client.call("POST", "/telegram/updates", { token: BOT_TOKEN })).status).toBe(400);
  });
});

test("a method call in the webhook's answer is carried out", async () => {
  await client.bot("setWebhook", { url: WEBHOOK_URL });
  answer = () => Response.json({ method: "sendMessage", chat_id: 42, text: "welcome" });
  await push(START);
  const [call] = (await client.call("GET", "/telegram/calls?method=sendMessage")).json;
  expect(call).toMatchObject({ via: "webhook_answer", ok: true, params: { chat_id: 42, text: "welcome" } });
});

test("getWebhookInfo tells the address, the kinds and the last failure", async () => {
  expect((await client.bot("getWebhookInfo")).json.result.url).toBe("");
  await client.bot("setWebhook", { url: WEBHOOK_URL, allowed_updates: ["message"], max_connections: 10 });
  answer = () => new Response("no", { status: 500 });
  expect((await push(START)).json.status).toBe(500);
  expect((await client.bot("getWebhookInfo")).json.result).toMatchObject({
    url: WEBHOOK_URL,
    max_connections: 10,
    allowed_updates: ["message"],
    last_error_message: expect.stringContaining("Wrong response from the webhook: 500"),
  });
});

test("a webhook that cannot be reached is a 502 with the reason", async () => {
  const gone = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const url = `http://127.0.0.1:${gone.port}/`;
  await gone.stop(true);
  await client.bot("setWebhook", { url });
  const pushed = await push(START);
  expect(pushed.status).toBe(502);
  expect(pushed.json.error).toContain("cannot be reached");
});
