import { expect, test } from "bun:test";
import { metaCookieHeaders } from "../../src/redirect/meta-cookie-headers.ts";

test.each([
  ["go.example.com", true, "; Domain=example.com; Secure"],
  // Over plain HTTP a browser throws a cookie away that asks for a secure connection.
  ["go.example.com", false, "; Domain=example.com"],
  ["10.0.0.5", false, ""],
])("cookies of a visit to %s, over HTTPS: %p, end with %p", (host, isSecure, end) => {
  expect(metaCookieHeaders({ fbp: "fb.1.1.2", fbc: "fb.1.1.AbCd" }, { host, isSecure })).toEqual([
    `_fbp=fb.1.1.2; Max-Age=7776000; Path=/; SameSite=Lax${end}`,
    `_fbc=fb.1.1.AbCd; Max-Age=7776000; Path=/; SameSite=Lax${end}`,
  ]);
});
