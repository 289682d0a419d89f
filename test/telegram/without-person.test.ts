import { expect, test } from "bun:test";
import fc from "fast-check";
import { withoutPerson } from "../../src/telegram/without-person.ts";

test("of a good answer only message and date are kept", () => {
  const body = JSON.stringify({
    ok: true,
    result: {
      message_id: 17,
      date: 1_700_000_000,
      chat: { id: 815, type: "private", first_name: "Ana", username: "ana" },
      text: "Olá, Ana",
    },
  });
  expect(withoutPerson(body)).toBe('{"ok":true,"result":{"message_id":17,"date":1700000000}}');
  expect(withoutPerson('{"ok":true,"result":true}')).toBe('{"ok":true}');
  expect(withoutPerson('{"ok":true,"result":{"first_name":"Ana"}}')).toBe('{"ok":true}');
});

test("refusals stay in Telegram's own words", () => {
  const refusal = '{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}';
  expect(withoutPerson(refusal)).toBe(refusal);
  expect(withoutPerson("<html>502</html>")).toBe("<html>502</html>");
});

test("whatever a good answer holds, nothing of it but two numbers gets through", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (result) => {
      const kept = withoutPerson(JSON.stringify({ ok: true, result }));
      expect(kept).toMatch(/^\{"ok":true(,"result":\{"message_id":-?\d+,"date":-?\d+\})?\}$/);
    }),
  );
});
