import { expect, test } from "bun:test";
import { isSecure, readCookies, safeAddress } from "../../src/ops/auth/cookies.ts";
import { clientAddressFinder } from "../../src/redirect/client-address.ts";

const PROXY = "10.0.0.1";
const STRANGER = "177.45.10.9";
const HTTPS = "https://go.example.com";
const said = (proto: string) => ({ "x-forwarded-proto": proto });

test.each([
  ["http, and no address of ours known", undefined, STRANGER, {}, false, null],
  ["http, where our address is http", "http://go.example.com", STRANGER, {}, false, null],
  ["http, where our address is https", HTTPS, STRANGER, {}, true, `${HTTPS}/ops`],
  ["https, as a trusted proxy says", undefined, PROXY, said("https"), true, null],
  ["https, as the first of several proxies says", HTTPS, PROXY, said("https , http"), true, null],
  ["http, as a trusted proxy says", undefined, PROXY, said("http, https"), false, null],
  ["http, though a stranger says https", undefined, STRANGER, said("https"), false, null],
  ["http, though somebody unknown says https", HTTPS, null, said("https"), true, `${HTTPS}/ops`],
])("%s", (_, publicUrl, peer, headers, secure, address) => {
  const deps = { config: { publicUrl }, clientAddress: clientAddressFinder(["10.0.0.0/8"]) };
  const request = new Request("http://localhost/ops/login", { headers });
  expect(isSecure(deps, request, peer)).toBe(secure);
  expect(safeAddress(deps, request, peer)).toBe(address);
  // Over a connection of its own that is safe nobody needs a proxy's word.
  const direct = new Request("https://localhost/ops/login");
  expect([isSecure(deps, direct, peer), safeAddress(deps, direct, peer)]).toEqual([true, null]);
});

test("of cookies of one name the first counts, and what is no pair is passed over", () => {
  const headers = { cookie: "a=1; odd; b = x=y ;a=2;=z" };
  const cookies = readCookies(new Request("http://localhost/", { headers }));
  expect([...cookies]).toEqual([
    ["a", "1"],
    ["b", "x=y"],
  ]);
  expect(readCookies(new Request("http://localhost/")).size).toBe(0);
});
