import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { validateEvent } from "../../src/meta/event-limits.ts";
import { externalIdOf, pageViewEvent } from "../../src/meta/page-view.ts";
import { UNKNOWN_USER_AGENT } from "../../src/meta/session-facts.ts";
import { session, sha256 } from "./builders.ts";

const POOL = { name: "Curso de Inglês", slug: "curso" };
const SOON_AFTER = new Date("2026-05-10T12:00:05Z");

describe("the server's PageView", () => {
  test("says everything the session knows", async () => {
    expect(pageViewEvent(session(), POOL)).toEqual({
      event_name: "PageView",
      event_time: 1778414400,
      event_id: "evt_0196b9c01d2a7f3e8c4d5e6f7a8b9c0d",
      action_source: "website",
      event_source_url: "https://go.example.com/go/curso?utm_source=fb",
      user_data: {
        external_id: await sha256("IwAR3xAbCdEfGhIjKlMnOpQrStUvWxYz"),
        client_ip_address: "2804:14c:65d1:8a2f::17",
        client_user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) [FBAN/FBIOS]",
        fbc: "fb.1.1778414400000.IwAR3xAbCdEfGhIjKlMnOpQrStUvWxYz",
        fbp: "fb.1.1778414400000.1234567890",
      },
      custom_data: { utm_source: "fb", utm_campaign: "maio", pool: "curso", pool_name: "Curso de Inglês" },
    });
  });

  test("is one that Meta takes, also of a bare organic visit from a private address", () => {
    const bare = session({
      fbclid: null,
      fbc: null,
      fbp: null,
      clientIp: "10.0.0.1",
      userAgent: null,
      utm: {},
    });
    expect(validateEvent(pageViewEvent(session(), POOL), SOON_AFTER)).toEqual({ kind: "ok" });
    expect(validateEvent(pageViewEvent(bare, POOL), SOON_AFTER)).toEqual({ kind: "ok" });
    expect(pageViewEvent(bare, POOL).user_data.client_user_agent).toBe(UNKNOWN_USER_AGENT);
  });

  test("holds no campaign parameter that is empty, and none that is not a UTM", () => {
    const utm = { utm_source: "fb", utm_term: "", value: "999", currency: "USD", pool: "other" };
    expect(pageViewEvent(session({ utm }), POOL).custom_data).toEqual({
      utm_source: "fb",
      pool: "curso",
      pool_name: "Curso de Inglês",
    });
  });
});

describe("the visitor's external_id", () => {
  test("is the fbclid's digest up to 80 characters", async () => {
    const fbclid = "A".repeat(80);
    expect(externalIdOf({ fbclid, trackingToken: "t" })).toBe(await sha256(fbclid));
  });

  test("is the digest of the fbclid's MD5 where it is longer", async () => {
    const fbclid = `IwAR${"x".repeat(77)}`;
    const md5 = createHash("md5").update(fbclid).digest("hex");
    expect(externalIdOf({ fbclid, trackingToken: "t" })).toBe(await sha256(md5));
  });

  test("is the tracking token's digest where there is no fbclid", async () => {
    const trackingToken = "0196b9c01d2a7f3e8c4d5e6f7a8b9c0d";
    expect(externalIdOf({ fbclid: null, trackingToken })).toBe(await sha256(trackingToken));
    expect(externalIdOf({ fbclid: "", trackingToken })).toBe(await sha256(trackingToken));
  });
});
