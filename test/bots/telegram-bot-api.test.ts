import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { BotApi } from "../../src/bots/bot-api.ts";
import { telegramBotApi } from "../../src/bots/telegram-bot-api.ts";

const TOKEN = "700001:AAF-a_well_formed_token_of_a_test_bot";

let server: Bun.Server<undefined>;
let api: BotApi;
/** What stands in Telegram's place says this. */
let said: { status: number; body: string };
beforeAll(() => {
  const fetch = () => new Response(said.body, { status: said.status });
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
  api = telegramBotApi(`http://127.0.0.1:${server.port}`);
});
afterAll(() => server.stop(true));

describe("what bot management hears of Telegram", () => {
  test.each([
    [200, ""],
    [200, "<html>"],
    [200, "{}"],
    [200, "null"],
    [200, '{"ok":true}'],
    [200, '{"ok":true,"result":{}}'],
    [200, '{"ok":true,"result":{"id":7}}'],
    [403, '{"message":"Forbidden"}'],
    [404, '{"ok":false}'],
    [502, '{"message":"Bad gateway"}'],
    [502, "<html>"],
  ])("a proxy's own answer (%i, %j) says nothing about the bot", async (status, body) => {
    said = { status, body };
    expect(await api.identify(TOKEN)).toEqual({ kind: "unreachable", reason: expect.any(String) });
    expect(await api.webhookInfo(TOKEN)).toEqual({ kind: "unreachable", reason: expect.any(String) });
  });

  test.each([
    [401, "Unauthorized", "refused"],
    [404, "Not Found", "refused"],
    [429, "Too Many Requests: retry after 5", "unreachable"],
    [500, "Internal Server Error", "unreachable"],
  ])("Telegram's own %i %j is kept in its words", async (code, description, kind) => {
    said = { status: code, body: JSON.stringify({ ok: false, error_code: code, description }) };
    expect<object>(await api.identify(TOKEN)).toEqual({ kind, reason: description });
  });
});
