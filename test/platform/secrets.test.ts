import { expect, test } from "bun:test";
import { createSecrets, SealBrokenError } from "../../src/platform/secrets.ts";

const secrets = createSecrets(Buffer.alloc(32, 1));

test("what was opened before opens again, and still for its own purpose alone", () => {
  const sealed = secrets.seal("EAAtoken", "pools.meta_access_token");
  for (let i = 0; i < 2; i++) {
    expect(secrets.open(sealed, "pools.meta_access_token")).toBe("EAAtoken");
    expect(() => secrets.open(sealed, "bots.token")).toThrow(SealBrokenError);
  }
});

test("more secrets than are kept open all open", () => {
  const sealed = Array.from({ length: 1_500 }, (_, i) => secrets.seal(`token ${i}`, "bots.token"));
  for (let round = 0; round < 2; round++) {
    sealed.forEach((text, i) => {
      expect(secrets.open(text, "bots.token")).toBe(`token ${i}`);
    });
  }
});

test("the same secret is never sealed the same way twice, or equal ones would show", () => {
  const sealed = Array.from({ length: 100 }, () => secrets.seal("EAAtoken", "bots.token"));
  const beginnings = sealed.map((text) =>
    Buffer.from(text.slice("v1.".length), "base64url").toString("hex", 0, 12),
  );
  expect(new Set(beginnings).size).toBe(100);
});

test("what another key or nobody sealed, what was changed on the way, and another version's are broken", () => {
  const sealed = secrets.seal("EAAtoken", "bots.token");
  const other = createSecrets(Buffer.alloc(32, 2)).seal("EAAtoken", "bots.token");
  const bytes = Buffer.from(sealed.slice("v1.".length), "base64url");
  const changed = bytes.map((byte, i) => (i === 12 ? byte ^ 1 : byte));
  for (const broken of [
    other,
    `v1.${Buffer.from(changed).toString("base64url")}`,
    `v1.${bytes.subarray(0, 27).toString("base64url")}`,
    sealed.replace("v1.", "v2."),
    "v1.",
    "EAAtoken",
    "",
  ])
    expect(() => secrets.open(broken, "bots.token")).toThrow(SealBrokenError);
});
