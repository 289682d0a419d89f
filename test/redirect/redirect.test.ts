import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { createVisits } from "../../src/visits.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { startToken } from "../support/start-token.ts";

const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/22B83 [FBAN/FBIOS]";

let own: TestApp;
beforeAll(async () => {
  own = await createTestApp({ PAGEVIEW_HOLD_MS: "60000", RATE_LIMIT_PER_HOUR: "0" });
  await addPool(own.db, { slug: "open", name: "Curso <b>Ágil</b>", captureParams: ["sub1"] });
  await addPool(own.db, {
    slug: "gated",
    metaCloakerEnabled: true,
    metaCloakerParamValue: "s3cret-Value",
    blockAutomated: true,
  });
  await addPool(own.db, { slug: "bare", metaPixelId: null });
  await addPool(own.db, { slug: "english", locale: "en" });
  await addPool(own.db, { slug: "untracked", metaTrackingEnabled: false, utmifyPixelId: null });
  await addPool(own.db, { slug: "disabled", enabled: false });
  await addPool(own.db, { slug: "botless" }, [{ username: "sick_bot", healthy: false }]);
  await own.deps.pools.refresh();
});
afterAll(() => own.dispose());

async function visit(path: string, headers: Record<string, string> = {}) {
  const response = await own.request(path, { headers: { "user-agent": PHONE, ...headers } });
  const body = await response.text();
  return { response, body, token: startToken(response.headers.get("location") ?? body) };
}

async function stored(token: string) {
  const { sessions, outbox } = own.db.tables;
  if (!token) throw new Error("the page has no token");
  const [session] = await own.db.select().from(sessions).where(eq(sessions.trackingToken, token));
  const events = await own.db.select().from(outbox).where(eq(outbox.trackingToken, token));
  return { session, events };
}

async function redirectsOf(slug: string) {
  const { pools } = own.db.tables;
  const [pool] = await own.db.select().from(pools).where(eq(pools.slug, slug));
  return pool?.totalRedirects;
}

async function rowCount() {
  return own.db.$count(own.db.tables.sessions);
}

describe(`GET /go/:slug on ${testDialect}`, () => {
  test("serves the bridge page once session, PageView and counters are committed", async () => {
    const before = (await redirectsOf("open")) ?? 0;
    const { response, body, token } = await visit(
      "/go/open?fbclid=IwAR0AbC_d-9&utm_source=fb&utm_campaign=Black+Friday&sub1=x&sub2=y&grim=g",
      { referer: "https://l.facebook.com/", "accept-language": "en-US,en;q=0.9" },
    );
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(body).toContain(`https://t.me/open_bot?start=${token}`);
    expect(body).toContain(`data-event-id="evt_${token}"`);
    expect(body).toContain(`eid=evt_${token}&`);

    const { session, events } = await stored(token);
    expect(session).toMatchObject({
      rootEventId: `evt_${token}`,
      pageviewSent: true,
      fbclid: "IwAR0AbC_d-9",
      fbcOrigin: "generated",
      utmSource: "fb",
      utmCampaign: "Black Friday",
      params: { sub1: "x" },
      grim: "g",
      referrer: "https://l.facebook.com/",
      userAgent: PHONE,
    });
    expect(session?.pageviewSentAt).toEqual(session?.pageviewTs);
    expect(session?.fbc).toBe(`fb.1.${session?.pageviewTs.getTime()}.IwAR0AbC_d-9`);
    expect(session?.eventSourceUrl).toContain("/go/open?fbclid=IwAR0AbC_d-9&utm_source=fb");
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      destination: "meta",
      route: "1234567890",
      eventName: "PageView",
      eventId: `evt_${token}`,
      status: "pending",
      payload: {
        event_name: "PageView",
        event_id: `evt_${token}`,
        event_time: Math.floor((session?.pageviewTs.getTime() ?? 0) / 1000),
        user_data: { fbc: session?.fbc, fbp: session?.fbp, client_user_agent: PHONE },
        custom_data: { utm_source: "fb", utm_campaign: "Black Friday" },
      },
    });
    expect(await redirectsOf("open")).toBe(before + 1);
  });

  test("sets _fbp and _fbc for a browser that has none, and leaves a browser's own alone", async () => {
    const fresh = await visit("/go/open?fbclid=click1");
    const cookies = fresh.response.headers.getSetCookie();
    expect(cookies).toHaveLength(2);
    expect(cookies[0]).toMatch(
      /^_fbp=fb\.1\.\d{13}\.\d+; Max-Age=7776000; Path=\/; SameSite=Lax; Domain=example\.com$/,
    );
    expect(cookies[1]).toMatch(/^_fbc=fb\.1\.\d{13}\.click1; /);

    const known = "fb.1.1600000000000.click1.AQ";
    const back = await visit("/go/open?fbclid=click1", {
      cookie: `_fbp=fb.1.1600000000000.77; _fbc=${known}; _fbi=2001:db8::1.AQ`,
    });
    expect(back.response.headers.getSetCookie()).toEqual([]);
    const { session } = await stored(back.token);
    expect(session).toMatchObject({ fbc: known, fbcOrigin: "cookie", fbp: "fb.1.1600000000000.77" });
  });

  test("replaces cookies that Meta would refuse", async () => {
    const { response, token } = await visit("/go/open?fbclid=click1", {
      cookie: "_fbp=fb.1.1700000000.abc; _fbc=fb.1.1700000000.click1",
    });
    const { session } = await stored(token);
    expect(session?.fbp).toMatch(/^fb\.1\.\d{13}\.\d+$/);
    expect(session?.fbc).toMatch(/^fb\.1\.\d{13}\.click1$/);
    const made = response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
    expect(made).toEqual([`_fbp=${session?.fbp}`, `_fbc=${session?.fbc}`]);
  });

  test.each([
    ["www.loja.com.br", 2, "; Domain=loja.com.br"],
    ["go.example.com", 1, "; Domain=example.com"],
    ["127.0.0.1", 0, ""],
  ])("new cookies of %s have the index of their domain, in the row too", async (host, index, domain) => {
    const response = await own.app.handle(new Request(`http://${host}/go/open?fbclid=click1`));
    const { session } = await stored(startToken(await response.text()));
    expect(session?.fbp).toStartWith(`fb.${index}.`);
    expect(session?.fbc).toStartWith(`fb.${index}.`);
    const attributes = `; Max-Age=7776000; Path=/; SameSite=Lax${domain}`;
    expect(response.headers.getSetCookie()).toEqual([
      `_fbp=${session?.fbp}${attributes}`,
      `_fbc=${session?.fbc}${attributes}`,
    ]);
  });

  test("keeps a click id of 500 characters whole and in its case", async () => {
    const fbclid = "IwZXh0bgNhZW0".repeat(38).concat("aBcDeF");
    expect(fbclid).toHaveLength(500);
    const { token } = await visit(`/go/open?fbclid=${fbclid}`);
    const { session } = await stored(token);
    expect(session?.fbclid).toBe(fbclid);
    expect(session?.fbc).toEndWith(`.${fbclid}`);
  });

  test("of a cookie sent twice the one that is sound and names this click is taken", async () => {
    const own = "fb.1.1600000000000.click1";
    const cookie = `_fbc=junk; _fbc=fb.1.1650000000000.older; _fbc=${own}; _fbi=nowhere; _fbi=2001:db8::1.AQ.AQ; _fbp=; _fbp=fb.1.1600000000000.7`;
    const { token, response } = await visit("/go/open?fbclid=click1", { cookie });
    expect((await stored(token)).session).toMatchObject({
      fbc: own,
      fbcOrigin: "cookie",
      fbi: "2001:db8::1.AQ",
      fbp: "fb.1.1600000000000.7",
    });
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  test("an address cookie that holds no address is not stored, so that the browser's own gets in", async () => {
    const { token } = await visit("/go/open", { cookie: "_fbi=<b>" });
    expect((await stored(token)).session?.fbi).toBeNull();
    const body = JSON.stringify({ tracking_token: token, _fbi: "2001:db8::1.AQ" });
    await own.request("/api/tracking/cookies", { method: "POST", body });
    expect((await stored(token)).session?.fbi).toBe("2001:db8::1.AQ");
  });

  test.each([
    ["with a NUL in it", "Abc%00Def"],
    ["longer than any of Meta's", "x".repeat(2_001)],
  ])("a click id %s is not repaired, and does not pass for an older click", async (_, fbclid) => {
    const { token } = await visit(`/go/open?fbclid=${fbclid}`, { cookie: "_fbc=fb.1.1600000000000.older" });
    expect((await stored(token)).session).toMatchObject({ fbclid: null, fbc: null, fbcOrigin: null });
  });

  test.each(["a.b", "a%20b"])(
    "the click id %s is kept and gets no fbc, which would not come apart again",
    async (id) => {
      const { token } = await visit(`/go/open?fbclid=${id}`, { cookie: "_fbc=fb.1.1600000000000.older" });
      expect((await stored(token)).session).toMatchObject({ fbclid: decodeURIComponent(id), fbc: null });
    },
  );

  test("without a click id and without a cookie there is no fbc", async () => {
    const { token } = await visit("/go/open");
    const { session } = await stored(token);
    expect(session).toMatchObject({ fbclid: null, fbc: null, fbcOrigin: null, clickTs: null, params: null });
  });

  test("without a click id the browser's fbc is the visit's, and it is given no other", async () => {
    const fbc = "fb.1.1600000000000.older";
    const { token, response } = await visit("/go/open?fbclid=", { cookie: `_fbc=${fbc}` });
    expect((await stored(token)).session).toMatchObject({ fbclid: null, fbc, fbcOrigin: "cookie" });
    expect(response.headers.getSetCookie()).toEqual([expect.stringMatching(/^_fbp=/)]);
  });

  test("every page is in the browser's language, or in the pool's where it has one", async () => {
    const languages = [];
    for (const path of ["/go/open", "/go/botless", "/go/nobody", "/go", "/go/english", "/go/english"]) {
      const { body } = await visit(path, { "accept-language": languages.length % 2 === 0 ? "pt-BR" : "en" });
      languages.push(/<html lang="([^"]+)"/.exec(body)?.[1]);
    }
    expect(languages).toEqual(["pt-BR", "en", "pt-BR", "en", "en", "en"]);
  });

  test("sends on to the bot where the pool has no pixel to load", async () => {
    for (const slug of ["bare", "untracked"]) {
      const { response, token } = await visit(`/go/${slug}`);
      expect(response.status).toBe(302);
      expect(response.headers.get("location")).toBe(`https://t.me/${slug}_bot?start=${token}`);
      const { session, events } = await stored(token);
      expect(session).toMatchObject({ pageviewSent: false, pageviewSentAt: null });
      expect(events).toEqual([]);
    }
  });

  test("a visitor who denied consent is served, and not reported", async () => {
    const { response, token } = await visit("/go/open?consent=denied");
    // Nothing on the page may load, so there is no page.
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBe(`https://t.me/open_bot?start=${token}`);
    const { session, events } = await stored(token);
    expect(session).toMatchObject({ consent: "denied", pageviewSent: false });
    expect(events).toEqual([]);
  });

  test("an unknown and a disabled slug are not found", async () => {
    for (const slug of ["nothing", "disabled", "%E0%A4%A", "a%00b", "%3Cscript%3E"]) {
      const { response } = await visit(`/go/${slug}`);
      expect(response.status).toBe(404);
    }
  });

  test("a slug in capital letters is the pool's all the same: the click is paid for", async () => {
    const { response, token } = await visit("/go/OPEN");
    expect(response.status).toBe(200);
    expect((await stored(token)).session).toBeDefined();
  });

  test("a link that lost its slug or gained a part gets the same page", async () => {
    const unknown = await visit("/go/nothing");
    for (const path of ["/go", "/go/", "/go/open/more", "/go/a/b/c"]) {
      const { response, body } = await visit(path);
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      const withoutNonce = (html: string) => html.replaceAll(/nonce="[0-9a-f]+"/g, "");
      expect(withoutNonce(body)).toBe(withoutNonce(unknown.body));
    }
  });

  test("where no bot can be chosen the answer is 503 with Retry-After, and the log is loud", async () => {
    const { response } = await visit("/go/botless");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(own.logLines.some(({ level, msg }) => level >= 50 && msg?.includes("no bot"))).toBe(true);
  });

  test("HEAD gets a visit's status and headers and counts as nothing", async () => {
    const before = [await rowCount(), await redirectsOf("open"), await redirectsOf("bare")];
    const page = await own.request("/go/open", { method: "HEAD" });
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const bare = await own.request("/go/bare", { method: "HEAD" });
    expect(bare.status).toBe(302);
    expect(bare.headers.get("location")).toBe("https://t.me/bare_bot");
    expect((await own.request("/go/open?consent=denied", { method: "HEAD" })).status).toBe(302);
    expect((await own.request("/go/botless", { method: "HEAD" })).status).toBe(503);
    for (const response of [page, bare]) {
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(await response.text()).toBe("");
    }
    expect([await rowCount(), await redirectsOf("open"), await redirectsOf("bare")]).toEqual(before);
  });

  test("a prefetch is declined, so that no browser shows its answer to the visitor, and counts as nothing", async () => {
    const before = [await rowCount(), await redirectsOf("open")];
    const texts = () => own.deps.metrics.counted.histograms.map((histogram) => histogram.text()).join("");
    const failures = () => /status="5xx".*/.exec(texts())?.[0];
    const failed = failures();
    const lookers: Record<string, string>[] = [
      { purpose: "prefetch" },
      { "sec-purpose": "prefetch;prerender" },
      { "x-purpose": "preview", "x-fb-http-engine": "Liger" },
    ];
    for (const headers of lookers) {
      const response = await own.request("/go/open", { headers });
      expect(response.status).toBe(503);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(await response.text()).toBe("");
    }
    expect([await rowCount(), await redirectsOf("open")]).toEqual(before);
    expect(failures()).toBe(failed);
  });

  test("another method is told which ones there are", async () => {
    const headers = { "content-type": "application/json" };
    for (const init of [{ method: "POST" }, { method: "PUT", headers, body: "{bad" }]) {
      const response = await own.request("/go/open", init);
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET, HEAD");
    }
  });

  test("a value that is too long is cut, and what no database takes is left out of it", async () => {
    const long = encodeURIComponent(`a${"\u{1F600}".repeat(600)}`);
    const { token } = await visit(`/go/open?utm_source=${long}&utm_term=%00nul%00&utm_content=%00`, {
      "user-agent": "a".repeat(1_500),
    });
    expect((await stored(token)).session).toMatchObject({
      userAgent: "a".repeat(1_000),
      utmSource: `a${"\u{1F600}".repeat(499)}\uFFFD`,
      utmTerm: "nul",
      utmContent: null,
    });
  });

  test("strange queries are a page or a clear 4xx, and what is kept is sound", async () => {
    const queries = [
      "?fbclid=a&fbclid=b&utm_source=1&utm_source=2",
      "?utm_source=%E0%A4%A&utm_campaign=%FF%FE&utm_term=%00nul%00",
      `?utm_source=${encodeURIComponent("\u{1F600}".repeat(600))}`,
      "?%",
      "?&&==&=x",
      "?utm_source[]=1&__proto__=x&constructor=y",
      "?utm_content=%3Cscript%3Ealert(1)%3C/script%3E",
    ];
    for (const query of queries) {
      const { response, token } = await visit(`/go/open${query}`);
      expect(response.status).toBe(200);
      const { session } = await stored(token);
      expect(session?.utmTerm ?? "").not.toContain("\0");
    }
    const { token } = await visit(`/go/open${queries[0]}`);
    expect((await stored(token)).session).toMatchObject({ fbclid: "a", utmSource: "1" });
  });
});

describe("the gate", () => {
  test("lets the operator's own links in", async () => {
    const { response } = await visit("/go/gated?grim=s3cret-Value");
    expect(response.status).toBe(200);
  });

  test("refuses with one and the same page for either reason, and leaves no trace but its own count", async () => {
    const before = [await rowCount(), await redirectsOf("gated")];
    const wrong = await visit("/go/gated?grim=wrong");
    const missing = await visit("/go/gated");
    const automated = await visit("/go/gated?grim=s3cret-Value", { "user-agent": "curl/8.5.0" });
    for (const { response, body } of [wrong, missing, automated]) {
      expect(response.status).toBe(403);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(body).toBe(wrong.body);
      expect(body).toContain("cloaker_block");
      expect(body).toContain("gated");
      expect(body).not.toContain("s3cret-Value");
    }
    await own.deps.refusals.flush();
    const { gateRefusals } = own.db.tables;
    // They are counted by the hour, of which this test may see two.
    const total = sql`sum(${gateRefusals.total})`.mapWith(Number);
    const { reason } = gateRefusals;
    const refusals = own.db.select({ reason, total }).from(gateRefusals).groupBy(reason).orderBy(reason);
    expect(await refusals).toEqual([
      { reason: "automated", total: 1 },
      { reason: "param", total: 2 },
    ]);
    expect([await rowCount(), await redirectsOf("gated")]).toEqual(before);
  });
});

describe("what an answer costs", () => {
  test("a refusal is there at once, with nothing to wait for: it must stay cheap under a flood", () => {
    const visit = createVisits(own.deps, () => null);
    const answer = visit(new Request("http://bridge.example.com/go/gated?grim=wrong"), "gated");
    expect(answer).toBeInstanceOf(Response);
  });
});

describe("a fault of ours", () => {
  test("is answered as such and logged, early or late in a visit", async () => {
    let fault: "early" | "late" = "early";
    const broken = await createTestApp({}, (deps) => ({
      ...deps,
      pools: {
        ...deps.pools,
        get(slug) {
          if (fault === "early") throw new Error("an early fault");
          const pool = deps.pools.get(slug);
          return (
            pool && {
              ...pool,
              get bots(): never {
                throw new Error("a late fault");
              },
            }
          );
        },
      },
    }));
    await addPool(broken.db, { slug: "open" });
    await broken.deps.pools.refresh();
    for (fault of ["early", "late"] as const) {
      const response = await broken.request("/go/open");
      expect(response.status).toBe(500);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(broken.logLines.at(-1)).toMatchObject({
        msg: "a request failed",
        request_id: expect.any(String),
        error: { message: expect.stringContaining(`${fault} fault`) },
      });
    }
    await broken.dispose();
  });
});

describe("bot selection", () => {
  test("10 000 visits split over the bots as their weights say, and every counter agrees", async () => {
    const { pool } = await addPool(own.db, { slug: "weighted", metaPixelId: null }, [
      { username: "heavy_bot", weight: 7 },
      { username: "light_bot", weight: 3 },
      { username: "off_bot", weight: 100, enabled: false },
    ]);
    await own.deps.pools.refresh();
    for (let i = 0; i < 20; i++) {
      await Promise.all(Array.from({ length: 500 }, () => visit("/go/weighted")));
    }
    // On a machine that is busy with more than this some may have gone to the spool.
    await own.deps.recorder.replay();
    const { poolBots } = own.db.tables;
    const members = await own.db
      .select()
      .from(poolBots)
      .where(eq(poolBots.poolId, pool.id))
      .orderBy(poolBots.id);
    const [heavy, light, off] = members.map(({ totalRedirects }) => totalRedirects ?? 0);
    expect(off).toBe(0);
    expect((heavy ?? 0) + (light ?? 0)).toBe(10_000);
    // Six standard deviations of a binomial(10 000, 0.7): a fair split fails once in a billion runs.
    expect(Math.abs((heavy ?? 0) - 7_000)).toBeLessThan(275);
    expect(await redirectsOf("weighted")).toBe(10_000);
  }, 60_000);

  test.each(["round_robin", "least_used"] as const)(
    "by %s, bots that are equal take turns, though the pool is not read anew",
    async (strategy) => {
      const slug = strategy.replace("_", "-");
      const usernames = ["one", "two", "three"].map((n) => `${strategy}_${n}_bot`);
      await addPool(
        own.db,
        { slug, strategy, metaPixelId: null },
        usernames.map((username) => ({ username })),
      );
      await own.deps.pools.refresh();
      const chosen = [];
      for (let i = 0; i < 6; i++) {
        const { response } = await visit(`/go/${slug}`);
        chosen.push(/t\.me\/(\w+)/.exec(response.headers.get("location") ?? "")?.[1]);
      }
      expect(chosen).toEqual([...usernames, ...usernames]);
    },
  );
});

/** The app with a limit, and a clock that stands still: visits of two hours are counted apart. */
async function createLimitedApp() {
  // An hour of its own: in Redis, which outlives the test, nobody else counts in it.
  const now = new Date(Date.now() + Math.floor(Math.random() * 1e6) * 3_600_000);
  return createTestApp({ RATE_LIMIT_PER_HOUR: "3", TRUSTED_PROXIES: "127.0.0.0/8, ::1" }, (deps) => ({
    ...deps,
    now: () => now,
  }));
}

describe("rate limit", () => {
  test("over the limit the answer is 429 with Retry-After, and nothing is counted", async () => {
    const limited = await createLimitedApp();
    await addPool(limited.db, { slug: "open" });
    await limited.deps.pools.refresh();
    const base = limited.listen();
    const client = "198.51.100.7";
    const go = (ip: string) => fetch(`${base}/go/open`, { headers: { "x-forwarded-for": ip } });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await go(client)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await go(client);
    expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 3601);
    expect((await go("203.0.113.77")).status).toBe(200);
    expect(await limited.db.$count(limited.db.tables.sessions)).toBe(4);
    await limited.dispose();
  });

  test("nobody guesses the gate's secret by looking ahead: a refusal counts, and over the limit the right one is 429 too", async () => {
    const limited = await createLimitedApp();
    const gate = { metaCloakerEnabled: true, metaCloakerParamValue: "right" };
    const { pool } = await addPool(limited.db, { slug: "gated", ...gate });
    await limited.deps.pools.refresh();
    const base = limited.listen();
    const headers = { "x-forwarded-for": "192.0.2.7" };
    const look = async (value: string) =>
      (await fetch(`${base}/go/gated?grim=${value}`, { method: "HEAD", headers })).status;
    for (let i = 0; i < 5; i++) expect(await look("right")).toBe(200);
    const guesses = [];
    for (let i = 0; i < 4; i++) guesses.push(await look(`guess${i}`));
    expect(guesses).toEqual([403, 403, 403, 429]);
    expect(await look("right")).toBe(429);
    await limited.deps.refusals.flush();
    const { gateRefusals } = limited.db.tables;
    const counted = await limited.db.select().from(gateRefusals).where(eq(gateRefusals.poolId, pool.id));
    expect(counted.map(({ reason, total }) => [reason, total])).toEqual([["param", 3]]);
    await limited.dispose();
  });
});
