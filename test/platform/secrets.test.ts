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
