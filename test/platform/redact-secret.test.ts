import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { redactSecret } from "../../src/platform/redact-secret.ts";

const TOKEN = 'EAAB/w+z=Qx&"9k';

describe("redaction", () => {
  test.each([
    ["plain", TOKEN],
    ["in JSON", JSON.stringify({ token: TOKEN })],
    ["in PHP's JSON", JSON.stringify(TOKEN).replaceAll("/", "\\/")],
    ["percent-encoded", encodeURIComponent(TOKEN)],
    ["percent-encoded in lower case", encodeURIComponent(TOKEN).replace(/%../g, (hex) => hex.toLowerCase())],
    ["in HTML", Bun.escapeHTML(TOKEN)],
  ])("takes the token out %s, and leaves the rest", (_, form) => {
    const clean = redactSecret(`before ${form} between ${form} after`, TOKEN, false);
    expect(clean).not.toContain("EAAB");
    expect(clean).toMatch(/^before .*\[redacted\].* between .*\[redacted\].* after$/);
  });

  test.each([
    "https://graph.example/v24.0/1/events?access_token=SOMEONEELSES&x=1",
    '{"access_token":"SOMEONEELSES","x":1}',
    '"{\\"access_token\\": \\"SOMEONEELSES\\"}"',
    "access_token: SOMEONEELSES",
  ])("takes any token parameter out of %p", (text) => {
    expect(redactSecret(text, TOKEN, false)).not.toContain("SOMEONEELSES");
  });

  test("takes out what begins or ends the token, where an answer shows half of it", () => {
    const token = "EAABsbCS1iHgBA+tok/en=xyz0123456789abcdefghijkl";
    for (const form of [token, encodeURIComponent(token), token.replaceAll("/", "\\/")]) {
      for (const part of [form.slice(0, 20), form.slice(0, -1), form.slice(-20), form.slice(1)]) {
        const clean = redactSecret(`Malformed access token "${part}" (code 190)`, token, false);
        expect(clean).toBe('Malformed access token "[redacted]" (code 190)');
      }
    }
  });

  test("leaves text alone that has no secret, also with an empty one", () => {
    const text = '{"events_received":3,"messages":[]}';
    expect(redactSecret(text, TOKEN, false)).toBe(text);
    expect(redactSecret(text, "", true)).toBe(text);
  });

  test("leaves no part of the token wherever the text was cut", () => {
    const token = `EAAB${"0123456789abcdef".repeat(10)}`;
    const other = fc.string({ maxLength: 30 }).filter((text) => !text.includes("EAA"));
    fc.assert(
      fc.property(other, fc.nat(200), (before, length) => {
        const whole = `${before}|${token}|after`;
        const cut = whole.slice(0, before.length + 1 + length);
        expect(redactSecret(cut, token, true)).not.toContain("EAA");
      }),
    );
  });
});
