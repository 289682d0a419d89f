import { expect, test } from "bun:test";
import type { BotWebhook } from "../../src/bots/bot-webhook.ts";
import { webhookFacts, webhookNote } from "../../src/ops/bots/webhook-facts.ts";

const here = "https://go.example.com/telegram/1";
const failed = { lastError: "Connection timed out", lastErrorAt: new Date("2025-03-01T12:00:00Z") };
const connected = { kind: "connected", waiting: 0, lastError: null, lastErrorAt: null } as const;

test.each<[what: string, webhook: BotWebhook, tone: string, short: string, words: string]>([
  ["one that is set here", connected, "good", "connected", "0 updates wait"],
  ["a failure that is over", { ...connected, ...failed }, "good", "connected", "Connection timed out"],
  ["a failure that goes on", { ...connected, waiting: 1, ...failed }, "warn", "failing", "1 update waits"],
  ["none", { kind: "elsewhere", url: "", expected: here }, "bad", "not set", here],
  ["another's", { kind: "elsewhere", url: "https://o.example", expected: here }, "bad", "elsewhere", "o.ex"],
  ["one without an address", { kind: "elsewhere", url: "", expected: null }, "bad", "not set", "PUBLIC_URL"],
  ["a bot of others", { kind: "no_token" }, "idle", "not ours", "not ours"],
  ["a sealed token", { kind: "sealed", reason: "APP_SECRET" }, "bad", "token sealed", "APP_SECRET"],
  ["a refusal", { kind: "refused", reason: "Unauthorized" }, "bad", "refused", "Unauthorized"],
  ["silence", { kind: "unreachable", reason: "no route" }, "warn", "no answer", "no route"],
])("a webhook: %s", (_, webhook, tone, short, words) => {
  const facts = webhookFacts(webhook);
  expect(facts).toMatchObject({ tone, short });
  expect(facts.text).toContain(words);
});

test("what was saved is said, and loudly where its webhook is not set", () => {
  expect(webhookNote("Saved.", { kind: "as_before" })).toEqual({ tone: "good", text: "Saved." });
  expect(webhookNote("Saved.", { kind: "set", url: here }).tone).toBe("good");
  expect(webhookNote("Saved.", { kind: "no_token" }).tone).toBe("good");
  expect(webhookNote("Saved.", { kind: "no_public_url" }).tone).toBe("warn");
  expect(webhookNote("Saved.", { kind: "failed", reason: "bad webhook" })).toMatchObject({
    tone: "warn",
    text: expect.stringContaining("bad webhook"),
  });
  expect(webhookNote("Saved.", { kind: "still_set", reason: "Unauthorized" })).toEqual({
    tone: "warn",
    text: "Saved. Telegram may still have its webhook: Unauthorized",
  });
});
