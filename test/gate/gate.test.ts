import { describe, expect, test } from "bun:test";
import { gateVerdict } from "../../src/gate/gate.ts";

const open = { param: null, blockAutomated: false };
const secret = { param: { name: "grim", value: "Op3n" }, blockAutomated: false };
const noBots = { param: null, blockAutomated: true };
const phone =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22B83 [FBAN/FBIOS;FBAV/490.0;FBDV/iPhone15,2]";
const instagram =
  "Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0 Mobile Safari/537.36 Instagram 355.0.0.0 Android";

function verdict(query: string, userAgent: string | null, gate: Parameters<typeof gateVerdict>[1]) {
  const answer = gateVerdict({ query: new URLSearchParams(query), userAgent }, gate);
  return answer.kind === "refused" ? answer.reason : answer.kind;
}

describe("gateVerdict", () => {
  test.each([
    ["", phone, open, "admitted"],
    ["", "curl/8.5.0", open, "admitted"],
    ["grim=Op3n", "curl/8.5.0", secret, "admitted"],
    ["grim=Op3n", phone, secret, "admitted"],
    ["utm_source=x&grim=Op3n", phone, secret, "admitted"],
    ["grim=op3n", phone, secret, "param"],
    ["grim=Op3", phone, secret, "param"],
    ["grim=Op3n&grim=x", phone, secret, "admitted"],
    ["grim=x&grim=Op3n", phone, secret, "param"],
    ["", phone, secret, "param"],
    ["", phone, noBots, "admitted"],
    ["", instagram, noBots, "admitted"],
    ["", "facebookexternalhit/1.1", noBots, "automated"],
    ["", "curl/8.5.0", noBots, "automated"],
    ["", null, noBots, "admitted"],
  ])("%p with %p", (query, userAgent, gate, expected) => {
    expect<string>(verdict(query, userAgent, gate)).toBe(expected);
  });
});
