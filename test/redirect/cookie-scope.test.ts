import { expect, test } from "bun:test";
import { ParamBuilder } from "capi-param-builder-nodejs";
import { cookieScope } from "../../src/redirect/cookie-scope.ts";

test.each([
  ["go.example.com", "example.com", 1],
  ["example.com", "example.com", 1],
  ["www.loja.com.br", "loja.com.br", 2],
  ["loja.com.br", "loja.com.br", 2],
  ["a.b.c.loja.com.br", "loja.com.br", 2],
  ["127.0.0.1", null, 0],
  ["[2001:db8::1]", null, 0],
  ["localhost", null, 0],
  ["ponte", null, 0],
  ["com.br", null, 0],
  ["", null, 0],
])("cookies of %p go on %p, with index %p", (host, domain, subdomainIndex) => {
  expect(cookieScope(host)).toEqual({ domain, subdomainIndex });
});

test.each(["go.example.com", "www.loja.com.br", "127.0.0.1"])(
  "Meta's own server-side builder says the same of %p",
  (host) => {
    const [fbp] = new ParamBuilder().processRequest(host, { fbclid: "x" }, {}, null);
    const { domain, subdomainIndex } = cookieScope(host);
    expect(fbp?.value).toStartWith(`fb.${subdomainIndex}.`);
    expect(fbp?.domain).toBe(domain ?? host);
  },
);
