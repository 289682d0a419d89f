import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { logIn, newBrowser, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";

const ORIGIN = "http://bridge.example.com";

let nowMs = Date.now() + Math.floor(Math.random() * 1e6) * 86_400_000;
let own: TestApp;
let operator: TestOperator;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD, PUBLIC_URL: "http://go.example.com" }, (deps) => ({
    ...deps,
    now: () => new Date(nowMs++),
  }));
  operator = await logIn(own);
});
afterAll(() => own.dispose());

const isLoggedIn = async () => (await operator.get("/ops")).status === 200;

/** A POST to "log out" with the operator's cookies, as any page of the web could make it. */
function forge(
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
  path = "/ops/logout",
) {
  return own.request(path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { cookie: [...operator.cookies].map((pair) => pair.join("=")).join("; "), ...headers },
  });
}

describe(`the console's forms on ${testDialect}`, () => {
  test("do nothing without the session's token", async () => {
    const other = await logIn(own);
    const tokens = [
      {},
      { _csrf: "" },
      { _csrf: "x" },
      { _csrf: operator.csrfToken.slice(1) },
      { _csrf: other.csrfToken },
    ];
    for (const fields of tokens) {
      const answer = await forge(fields, { origin: ORIGIN });
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain("Nothing was changed");
    }
    const refused = own.logLines.filter(({ msg }) => msg?.startsWith("a console form was refused"));
    expect(refused.map(({ method }) => method)).toEqual(tokens.map(() => "POST"));
    expect(await isLoggedIn()).toBe(true);
  });

  test("do nothing for another site, even with the token", async () => {
    const fields = { _csrf: operator.csrfToken };
    const foreign: Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "not a URL" },
      { origin: "http://bridge.example.com.evil.example" },
      { origin: "http://bridge.example.com:8080" },
      { origin: ORIGIN, "sec-fetch-site": "cross-site" },
      { origin: ORIGIN, "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
    ];
    for (const headers of foreign) expect((await forge(fields, headers)).status).toBe(403);
    expect(await isLoggedIn()).toBe(true);
  });

  test("do nothing for whoever is not logged in", async () => {
    const before = await own.db.$count(own.db.tables.auditLog);
    const answer = await newBrowser(own).post("/ops/logout", { everywhere: "1" });
    expect(answer.headers.get("location")).toBe("/ops/login");
    expect(await own.db.$count(own.db.tables.auditLog)).toBe(before);
    expect(await isLoggedIn()).toBe(true);
  });

  test("do nothing when they are longer than any form of ours", async () => {
    const answer = await forge({ _csrf: operator.csrfToken, zone: "x".repeat(300_000) }, { origin: ORIGIN });
    expect(answer.status).toBe(413);
    expect(await isLoggedIn()).toBe(true);
    const login = await forge({ password: "x".repeat(16 * 1024) }, { origin: ORIGIN }, "/ops/login");
    expect(login.status).toBe(413);
  });

  test("work from a page under PUBLIC_URL, and for htmx with the token as a header", async () => {
    const zone = { zone: "Asia/Tokyo", back: "/ops" };
    const form = { ...zone, _csrf: operator.csrfToken };
    const asForm = await forge(form, { origin: "http://go.example.com" }, "/ops/zone");
    expect(asForm.status).toBe(303);
    const asHeader = await forge(
      zone,
      { origin: ORIGIN, "sec-fetch-site": "same-origin", "x-csrf-token": operator.csrfToken },
      "/ops/zone",
    );
    expect(asHeader.status).toBe(303);
    // Told by the browser's own bar, or by what is no browser.
    for (const said of [{ "sec-fetch-site": "none" }, {}]) {
      expect((await forge(form, said, "/ops/zone")).status).toBe(303);
    }
  });

  test("the login's own form is refused from another site: nobody logs a browser in behind its back", async () => {
    const answer = await own.request("/ops/login", {
      method: "POST",
      body: new URLSearchParams({ password: OPERATOR_PASSWORD }),
      headers: { origin: "https://evil.example" },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test("are never sent by a link: a GET changes nothing", async () => {
    for (const path of ["/ops/logout", "/ops/logout?everywhere=1", "/ops/zone?zone=UTC"]) {
      const answer = await operator.get(path);
      expect(answer.status).toBe(404);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(await isLoggedIn()).toBe(true);
  });
});

describe("the console's time zone", () => {
  test("is TZ_DISPLAY until the operator chooses another, which their browser keeps", async () => {
    const browser = await logIn(own);
    expect(await (await browser.get("/ops")).text()).toContain('<option value="America/Sao_Paulo" selected>');
    const answer = await browser.post("/ops/zone", { zone: "Europe/Lisbon", back: "/ops?span=7d" });
    expect(answer.headers.get("location")).toBe("/ops?span=7d");
    expect(await (await browser.get("/ops")).text()).toContain('<option value="Europe/Lisbon" selected>');
  });

  test("is never what is no time zone, whoever wrote the cookie", async () => {
    const browser = await logIn(own);
    const answer = await browser.post("/ops/zone", { zone: "Mars/Phobos", back: "//evil.example" });
    expect(answer.headers.get("location")).toBe("/ops");
    expect(answer.headers.getSetCookie()).toEqual([]);
    for (const cookie of ["%", "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E", "../../etc/passwd", "1"]) {
      browser.cookies.set("ponte_zone", cookie);
      const page = await browser.get("/ops");
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('<option value="America/Sao_Paulo" selected>');
    }
  });
});

/** Every route of the console but the login's, with something in the place of each parameter. */
const routes = () =>
  own.app.routes
    .filter(({ path }) => /^\/ops(\/|$)/.test(path) && path !== "/ops/login")
    .map(({ method, path }) => ({ method, path: path.replace(/:\w+|\*/g, "1") }));

describe("every route of the console", () => {
  test("is closed to strangers, whatever it does", async () => {
    expect(routes().length).toBeGreaterThan(30);
    for (const { method, path } of routes()) {
      const answer = await own.request(path, { method });
      const location = answer.headers.get("location") ?? "";
      expect({ method, path, status: answer.status, location }).toMatchObject({
        status: 303,
        location: expect.stringMatching(/^\/ops\/login/),
      });
    }
  });

  test("that changes anything wants the session's token", async () => {
    const changing = routes().filter(({ method }) => method !== "GET");
    expect(changing.length).toBeGreaterThan(15);
    for (const { method, path } of changing) {
      expect([method, path, (await forge({}, { origin: ORIGIN }, path)).status]).toEqual([method, path, 403]);
    }
  });
});

describe("every answer of the console", () => {
  test("is stored nowhere, framed nowhere, and runs nothing that is not ours", async () => {
    const stranger = newBrowser(own);
    const answers = [
      await stranger.get("/ops/login"),
      await stranger.post("/ops/login", { password: "wrong" }),
      await operator.get("/ops"),
      await operator.get("/ops/nowhere"),
      await forge({}, { origin: ORIGIN }),
    ];
    for (const answer of answers) {
      const { headers } = answer;
      const policy = headers.get("content-security-policy") ?? "";
      const nonce = /script-src 'nonce-([0-9a-f]{32})';/.exec(policy)?.[1] ?? "no nonce";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("base-uri 'none'");
      expect(policy).not.toContain("unsafe");
      expect(policy).not.toContain("http");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      // With "no-referrer" browsers say that forms come from nowhere.
      expect(headers.get("referrer-policy")).toBe("same-origin");
      const html = await answer.text();
      for (const [tag] of html.matchAll(/<(?:script|style|link rel="stylesheet")[^>]*>/g)) {
        expect(tag).toContain(`nonce="${nonce}"`);
      }
      expect(html).not.toMatch(/ (?:on\w+|style)="/);
    }
    const nonces = answers.map(({ headers }) => headers.get("content-security-policy"));
    expect(new Set(nonces).size).toBe(answers.length);
  });

  test("to a redirect, too, is stored nowhere", async () => {
    const answer = await newBrowser(own).get("/ops");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("loads its scripts and styles from this host, under addresses that change with their content", async () => {
    const html = await (await operator.get("/ops")).text();
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, path]) => path ?? "");
    expect(addresses.length).toBeGreaterThanOrEqual(3);
    for (const address of addresses) {
      expect(address).toMatch(/^\/assets\/[\w-]+\.[0-9a-f]{16}\.(js|css)$/);
      const asset = await own.request(address);
      expect(asset.status).toBe(200);
      expect((await asset.text()).length).toBeGreaterThan(100);
    }
  });
});
