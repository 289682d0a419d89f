import { expect, test } from "bun:test";
import { checkPixel } from "../../src/meta/check-pixel.ts";
import { LONGEST_ANSWER } from "../../src/platform/read-answer.ts";

const TOKEN = "EAAtest-token-0123456789";

function askAt(url: URL) {
  return checkPixel({
    graphUrl: url.origin,
    version: "v25.0",
    pixelId: "1",
    accessToken: TOKEN,
    timeoutMs: 5_000,
  });
}

test.each([
  [200, { id: "1", name: "Shop" }, { kind: "reached", name: "Shop" }],
  [400, { error: { code: 190, message: `Bad ${TOKEN}` } }, { kind: "refused" }],
  [401, { error: { code: 3, message: "Who are you?" } }, { kind: "refused" }],
  [400, { error: { code: 100, message: "Missing permission" } }, { kind: "unreadable" }],
  [400, { error: { code: 2635, message: "You are calling a deprecated version" } }, { kind: "misaddressed" }],
  [400, { error: { code: 2500, message: "Unknown path components" } }, { kind: "misaddressed" }],
  [500, { error: { code: 2, message: "Try again" } }, { kind: "unanswered" }],
  [200, { data: [] }, { kind: "unanswered" }],
  [502, { id: "1", name: "Shop" }, { kind: "unanswered" }],
])("of HTTP %d with %j a person is told what to do, and never the token", async (status, body, expected) => {
  using meta = Bun.serve({ port: 0, fetch: () => Response.json(body, { status }) });
  const check = await askAt(meta.url);
  expect(check).toMatchObject(expected);
  expect(JSON.stringify(check)).not.toContain(TOKEN);
});

test("an answer without an end is given up, and says nothing of the pixel", async () => {
  const endless = `${" ".repeat(LONGEST_ANSWER)}${JSON.stringify({ id: "1", name: "Shop" })}`;
  using meta = Bun.serve({ port: 0, fetch: () => new Response(endless) });
  const check = await askAt(meta.url);
  expect(check).toMatchObject({ kind: "unanswered" });
});

test("a redirect is not followed: the token would go along", async () => {
  let asked = 0;
  const answer = () => {
    asked += 1;
    return Response.json({ id: "1", name: "Shop" });
  };
  using elsewhere = Bun.serve({ port: 0, fetch: answer });
  using meta = Bun.serve({ port: 0, fetch: () => Response.redirect(elsewhere.url.href, 302) });
  const check = await askAt(meta.url);
  expect(check).toMatchObject({ kind: "unanswered" });
  expect(asked).toBe(0);
});
