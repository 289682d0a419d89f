import { describe, expect, test } from "bun:test";
import { isPrefetch, publicAddressOf } from "../../src/redirect/visit-request.ts";

const DIRECT = "http://10.0.0.5:3000/go/open?a=1";

/** A request as the server hands it over; a real `Request` cannot have a path for its URL. */
function requestTo(url: string, headers: Record<string, string> = {}) {
  return { url, headers: new Headers(headers) } as const;
}

describe("publicAddressOf", () => {
  test.each([
    [{}, DIRECT, "10.0.0.5", false],
    [
      { "x-forwarded-proto": "https", host: "go.example.com" },
      "https://go.example.com/go/open?a=1",
      "go.example.com",
      true,
    ],
    [
      { "x-forwarded-proto": "https", "x-forwarded-host": "a.example.com:8443", host: "internal" },
      "https://a.example.com:8443/go/open?a=1",
      "a.example.com",
      true,
    ],
    [
      { "x-forwarded-proto": "https,http", "x-forwarded-host": "a.example.com, b.internal" },
      "https://a.example.com/go/open?a=1",
      "a.example.com",
      true,
    ],
    [
      { "x-forwarded-proto": "HTTPS", "x-forwarded-host": "[2001:db8::1]:443" },
      "https://[2001:db8::1]:443/go/open?a=1",
      "[2001:db8::1]",
      true,
    ],
    [{ "x-forwarded-proto": "javascript", host: "go.example.com" }, DIRECT, "10.0.0.5", false],
    [{ "x-forwarded-proto": "https", "x-forwarded-host": "a/b?c" }, DIRECT, "10.0.0.5", false],
    [{ "x-forwarded-proto": "https", "x-forwarded-host": "a.example.com;x=1" }, DIRECT, "10.0.0.5", false],
    [{ "x-forwarded-host": "go.example.com" }, DIRECT, "10.0.0.5", false],
  ])("a trusted proxy that says %p", (headers, url, host, isSecure) => {
    expect(publicAddressOf(requestTo(DIRECT, headers), true, undefined)).toEqual({ url, host, isSecure });
  });

  test("what a stranger says of it counts nothing", () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" };
    expect(publicAddressOf(requestTo(DIRECT, headers), false, undefined).url).toBe(DIRECT);
  });

  test("PUBLIC_URL names scheme and host for good", () => {
    const headers = { "x-forwarded-proto": "http", "x-forwarded-host": "other.example" };
    for (const isFromProxy of [true, false]) {
      expect(publicAddressOf(requestTo(DIRECT, headers), isFromProxy, "https://go.example.com")).toEqual({
        url: "https://go.example.com/go/open?a=1",
        host: "go.example.com",
        isSecure: true,
      });
    }
  });

  test("the fragment, which is the browser's own, is left out", () => {
    expect(publicAddressOf(requestTo(`${DIRECT}#top`), false, undefined).url).toBe(DIRECT);
    expect(publicAddressOf(requestTo("/go/open#top"), false, "https://a.example").url).toBe(
      "https://a.example/go/open",
    );
  });

  test("without a host there is no address, unless it is configured", () => {
    expect(publicAddressOf(requestTo("/go/open"), false, undefined)).toEqual({
      url: null,
      host: "",
      isSecure: false,
    });
    expect(publicAddressOf(requestTo("/go/open?a=1"), false, "https://a.example").url).toBe(
      "https://a.example/go/open?a=1",
    );
    expect(publicAddressOf(requestTo("/go/open?from=http://b.example/"), false, undefined).host).toBe("");
  });

  test.each(["[::1", "1.2.3.4.5", "host:abc", "999.999.999.999", "go.example.com:99999", "a%b"])(
    "a host that is none, such as %s, is no address, whoever tells it, before and after one that is",
    (host) => {
      const none = { url: null, host: "", isSecure: false };
      for (let i = 0; i < 2; i++) {
        expect(publicAddressOf(requestTo(`http://${host}/go/open`), false, undefined)).toEqual(none);
        expect(publicAddressOf(requestTo(DIRECT), false, undefined).url).toBe(DIRECT);
      }
      expect(publicAddressOf(requestTo(`http://${host}/go/open`), false, "https://a.example").url).toBe(
        "https://a.example/go/open",
      );
    },
  );

  test("a trusted proxy that tells a host which is none tells no address", () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "1.2.3.4.5" };
    expect(publicAddressOf(requestTo(DIRECT, headers), true, undefined).url).toBeNull();
  });
});

test.each([
  ["sec-purpose", "prefetch;prerender", true],
  ["purpose", "Prefetch", true],
  ["x-purpose", "preview", true],
  ["x-moz", "prefetch", true],
  ["x-purpose", "navigate", false],
  ["sec-purpose", "", false],
  ["accept", "prefetch", false],
])("a request with %s: %s only looks ahead: %p", (name, value, looksAhead) => {
  expect(isPrefetch(new Headers({ [name]: value }))).toBe(looksAhead);
});
