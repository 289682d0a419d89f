import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LONGEST_PASSWORD } from "../../src/config/variables.ts";
import { openDatabase } from "../../src/db/open.ts";
import { insideOps } from "../../src/ops/answer.ts";
import { ensureOperatorPassword } from "../../src/ops/auth/password.ts";
import { sha256Hex } from "../../src/platform/digests.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { heldDatabase } from "../support/held-database.ts";
import { logIn, makePasswordsCheap, newBrowser, OPERATOR_PASSWORD } from "../support/operator.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

const HOUR_MS = 3_600_000;
const SESSION = "ponte_ops";

/** A time of the test's own, moved by the test: attempts of other tests fall into other windows. */
let nowMs = Date.now() + Math.floor(Math.random() * 1e6) * 24 * HOUR_MS;
const now = () => new Date(nowMs);

let own: TestApp;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD }, (deps) => ({ ...deps, now }));
});
afterAll(() => own.dispose());

const sessions = () => own.db.select().from(own.db.tables.operatorSessions);
const audited = () => own.db.select().from(own.db.tables.auditLog).orderBy(own.db.tables.auditLog.id);

/** A browser with this session key, whoever gave it. */
function browserWith(key: string) {
  const browser = newBrowser(own);
  browser.cookies.set(SESSION, key);
  return browser;
}

describe(`the console's login on ${testDialect}`, () => {
  test("sends strangers to the login from every address, and tells them nothing else", async () => {
    const stranger = newBrowser(own);
    for (const path of [
      "/ops?span=7d",
      "/ops/outbox?status=dead",
      "/ops/pools/secret-pool",
      "/ops/nowhere",
    ]) {
      const answer = await stranger.get(path);
      expect(answer.status).toBe(303);
      expect(answer.headers.get("location")).toBe(`/ops/login?next=${encodeURIComponent(path)}`);
      expect(await answer.text()).toBe("");
    }
    expect((await stranger.get("/ops")).headers.get("location")).toBe("/ops/login");
  });

  test("whoever sends a form without a session comes back to its page, which says that nothing was changed", async () => {
    const browser = newBrowser(own);
    const send = (referer: string) =>
      own.request("/ops/pools/1", { method: "POST", body: new URLSearchParams(), headers: { referer } });
    const answer = await send("http://bridge.example.com/ops/pools/1?cursor=2");
    expect(answer.status).toBe(303);
    const next = "/ops/pools/1?cursor=2";
    expect(answer.headers.get("location")).toBe(`/ops/login?next=${encodeURIComponent(next)}`);
    for (const strange of ["", "https://evil.example/login", "javascript:alert(1)"]) {
      expect((await send(strange)).headers.get("location")).toBe("/ops/login");
    }
    await browser.post("/ops/pools/1");
    await browser.post("/ops/login", { password: OPERATOR_PASSWORD });
    expect(await browser.see("/ops")).toContain("nothing was changed");
    expect(await browser.see("/ops")).not.toContain("nothing was changed");
  });

  test("a browser at the server's bare name is led to the console, a program is told that nothing is there", async () => {
    const browser = await own.request("/", {
      headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
    });
    expect([browser.status, browser.headers.get("location")]).toEqual([303, "/ops"]);
    for (const accept of ["*/*", "application/json"]) {
      const answer = await own.request("/", { headers: { accept } });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    }
    const posted = await own.request("/", { method: "POST", headers: { accept: "text/html" } });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("tells a live page to go to the login, so that no login form lands inside of it", async () => {
    const answer = await newBrowser(own).get("/ops", { "hx-request": "true" });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("hx-redirect")).toBe("/ops/login");
  });

  test("opens a session for the password and keeps of its key nothing but a digest", async () => {
    const browser = newBrowser(own);
    const answer = await browser.post("/ops/login", {
      password: OPERATOR_PASSWORD,
      next: "/ops/outbox?status=dead",
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/ops/outbox?status=dead");
    const cookie = answer.headers.getSetCookie().find((line) => line.startsWith(`${SESSION}=`)) ?? "";
    expect(cookie.split("; ").slice(1)).toEqual(["Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Strict"]);
    const key = browser.cookies.get(SESSION) ?? "";
    const stored = await sessions();
    expect(stored.map(({ sessionHash }) => sessionHash)).toContain(sha256Hex(key));
    expect(JSON.stringify(stored)).not.toContain(key);
    expect((await browser.get("/ops")).status).toBe(200);
    expect((await audited()).at(-1)).toMatchObject({ actor: "console", action: "operator.login" });
  });

  test("opens nothing for any other password, and says so", async () => {
    const before = (await sessions()).length;
    const wrong = [`${OPERATOR_PASSWORD} `, OPERATOR_PASSWORD.toUpperCase(), "", "x".repeat(2_000), "\u0000"];
    for (const password of wrong) {
      const answer = await newBrowser(own).post("/ops/login", { password });
      expect(answer.status).toBe(403);
      expect(answer.headers.getSetCookie()).toEqual([]);
      expect(await answer.text()).toContain("That is not the password.");
    }
    expect((await sessions()).length).toBe(before);
    expect(JSON.stringify(own.logLines)).not.toContain(OPERATOR_PASSWORD);
  });

  test("takes the longest password that there may be, in whatever script", async () => {
    const longest = "橋".repeat(LONGEST_PASSWORD);
    const app = await createTestApp({ OPERATOR_PASSWORD: longest });
    using _ = makePasswordsCheap();
    expect((await newBrowser(app).post("/ops/login", { password: longest })).status).toBe(303);
    await app.dispose();
  });

  test("takes over no key that was planted before the login", async () => {
    const planted = "A".repeat(43);
    const victim = browserWith(planted);
    expect((await victim.post("/ops/login", { password: OPERATOR_PASSWORD })).status).toBe(303);
    expect(victim.cookies.get(SESSION)).not.toBe(planted);
    expect((await browserWith(planted).get("/ops")).status).toBe(303);
  });

  test("gives a new key and a new token at every login, and the old key is worth nothing", async () => {
    const browser = await logIn(own);
    const [oldKey = "", oldToken] = [browser.cookies.get(SESSION), browser.csrfToken];
    await browser.post("/ops/login", { password: OPERATOR_PASSWORD });
    await browser.get("/ops");
    expect(browser.cookies.get(SESSION)).not.toBe(oldKey);
    expect(browser.csrfToken).not.toBe(oldToken);
    expect((await browserWith(oldKey).get("/ops")).status).toBe(303);
  });

  test("shows the console to whoever comes back to the login with a session", async () => {
    const browser = await logIn(own);
    const answer = await browser.get("/ops/login?next=/ops/bots");
    expect(answer.headers.get("location")).toBe("/ops/bots");
  });

  test("ends one session, and leaves those of other browsers alone", async () => {
    const [here, there] = [await logIn(own), await logIn(own)];
    const key = here.cookies.get(SESSION) ?? "";
    const answer = await here.post("/ops/logout");
    expect(answer.headers.get("location")).toBe("/ops/login");
    expect(here.cookies.has(SESSION)).toBe(false);
    expect((await browserWith(key).get("/ops")).status).toBe(303);
    expect((await there.get("/ops")).status).toBe(200);
    expect((await audited()).at(-1)?.action).toBe("operator.logout");
  });

  test("ends the sessions of every browser when asked to", async () => {
    const [here, there] = [await logIn(own), await logIn(own)];
    await here.post("/ops/logout", { everywhere: "1" });
    expect((await there.get("/ops")).status).toBe(303);
    expect(await sessions()).toEqual([]);
    expect((await audited()).at(-1)?.action).toBe("operator.logout_everywhere");
  });

  test("ends a session that nobody uses for half a day, and one in use after a week", async () => {
    const [idle, late, busy] = [await logIn(own), await logIn(own), await logIn(own)];
    const loggedInMs = nowMs;
    const begun = await sessions();
    // Use is written down once an hour.
    nowMs += HOUR_MS;
    await busy.get("/ops");
    expect(await sessions()).toEqual(begun);
    nowMs = loggedInMs + 12 * HOUR_MS - 1;
    for (const browser of [late, busy]) expect((await browser.get("/ops")).status).toBe(200);
    nowMs += 1;
    expect((await idle.get("/ops")).status).toBe(303);
    while (nowMs < loggedInMs + 7 * 24 * HOUR_MS - 8 * HOUR_MS) {
      nowMs += 8 * HOUR_MS;
      if (nowMs < loggedInMs + 7 * 24 * HOUR_MS) expect((await busy.get("/ops")).status).toBe(200);
    }
    nowMs = loggedInMs + 7 * 24 * HOUR_MS + 1;
    expect((await busy.get("/ops")).status).toBe(303);
    await logIn(own);
    expect(await sessions()).toHaveLength(1);
  });

  test("opens no session for a password that another process changes between the look at it and the session", async () => {
    let meanwhile: (() => Promise<unknown>) | undefined;
    const app = await createTestApp({ OPERATOR_PASSWORD }, ({ db, ...deps }) => {
      const changed = async () => {
        const change = meanwhile;
        meanwhile = undefined;
        await change?.();
      };
      return {
        ...{ ...deps, now },
        db: {
          ...db,
          transaction: (work, durability) => changed().then(() => db.transaction(work, durability)),
        },
      };
    });
    try {
      using _ = makePasswordsCheap();
      await ensureOperatorPassword(app.db, { operatorPassword: OPERATOR_PASSWORD });
      meanwhile = () => ensureOperatorPassword(app.db, { operatorPassword: "another one" });
      const answer = await newBrowser(app).post("/ops/login", { password: OPERATOR_PASSWORD });
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []]);
      expect(await app.db.$count(app.db.tables.operatorSessions)).toBe(0);
    } finally {
      await app.dispose();
    }
  });

  test("ends a session, too, that is being opened while another process changes the password", async () => {
    let held: ReturnType<typeof heldDatabase> | undefined;
    const app = await createTestApp({ OPERATOR_PASSWORD }, (deps) => {
      held = heldDatabase(deps.db);
      return { ...deps, now, db: held.db };
    });
    const other = await openDatabase(app.deps.config.database);
    try {
      using _ = makePasswordsCheap();
      await ensureOperatorPassword(other, { operatorPassword: OPERATOR_PASSWORD });
      const login = newBrowser(app).post("/ops/login", { password: OPERATOR_PASSWORD });
      await held?.done;
      const change = ensureOperatorPassword(other, { operatorPassword: "another one" });
      await untilHeldUp(other, change);
      held?.letGo();
      await Promise.all([login, change]);
      expect(await other.$count(other.tables.operatorSessions)).toBe(0);
    } finally {
      await other.close();
      await app.dispose();
    }
  });

  test("goes on after the login to pages of the console only", async () => {
    for (const next of [
      "https://evil.example/ops",
      "//evil.example/ops",
      "/\\evil.example/ops",
      "javascript:alert(1)",
      "/opsy",
      "/ops/../go/x",
    ]) {
      const answer = await newBrowser(own).post("/ops/login", { password: OPERATOR_PASSWORD, next });
      expect(answer.headers.get("location")).toBe("/ops");
    }
  });

  test("whatever address is asked for, a browser that follows it stays inside the console", () => {
    const nasty = fc.oneof(
      fc.string(),
      fc.webUrl({ withQueryParameters: true }),
      fc.array(
        fc.constantFrom("/", "\\", "ops", "..", "@", ":", "evil.example", "%2f", "\t", "\n", "?", "#"),
      ),
    );
    fc.assert(
      fc.property(nasty, (text) => {
        const to = new URL(insideOps([text].flat().join("")), "https://console.example/ops/login");
        expect(to.origin).toBe("https://console.example");
        expect(to.pathname).toMatch(/^\/ops(\/|$)/);
      }),
    );
  });
});

describe("over https", () => {
  let secured: TestApp;
  beforeAll(async () => {
    secured = await createTestApp({ OPERATOR_PASSWORD, PUBLIC_URL: "https://go.example.com" }, (deps) => ({
      ...deps,
      now,
    }));
  });
  afterAll(() => secured.dispose());

  test("the session's cookie is Secure, bound to this host, and no plain one is taken for it", async () => {
    const browser = newBrowser(secured);
    const answer = await browser.post("/ops/login", { password: OPERATOR_PASSWORD });
    const cookie = answer.headers.getSetCookie().find((line) => line.includes(SESSION)) ?? "";
    expect(cookie).toStartWith(`__Host-${SESSION}=`);
    expect(cookie).toContain("; Secure");
    expect(cookie).toContain("; Path=/;");
    expect(cookie).not.toContain("Domain");
    expect((await browser.get("/ops")).status).toBe(200);
    const key = browser.cookies.get(`__Host-${SESSION}`) ?? "";
    browser.cookies.clear();
    browser.cookies.set(SESSION, key);
    expect((await browser.get("/ops")).status).toBe(303);
  });

  test("every other cookie is Secure, too, and whoever leaves takes the session along", async () => {
    const stranger = await newBrowser(secured).post("/ops/pools/1");
    const browser = await logIn(secured);
    const key = browser.cookies.get(`__Host-${SESSION}`) ?? "";
    const zone = await browser.post("/ops/zone", { zone: "Asia/Tokyo", back: "/ops" });
    const set = [stranger, zone].flatMap(({ headers }) => headers.getSetCookie());
    expect(set.map((cookie) => cookie.split("=")[0])).toEqual(["ponte_note", "ponte_zone"]);
    for (const cookie of set) expect(cookie).toEndWith("; HttpOnly; SameSite=Strict; Secure");
    const left = await browser.post("/ops/logout");
    expect(left.headers.getSetCookie()).toEqual([
      `__Host-${SESSION}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure`,
    ]);
    browser.cookies.set(`__Host-${SESSION}`, key);
    expect((await browser.get("/ops")).status).toBe(303);
  });

  test("whose browser speaks http is told where to go, because it would drop the cookie and show an empty form again", async () => {
    const form = async (headers = {}) => (await newBrowser(secured).get("/ops/login", headers)).text();
    const hint = "over http nobody stays logged in";
    expect(await form()).toContain(hint);
    expect(await form()).toContain('href="https://go.example.com/ops"');
    const wrong = await newBrowser(secured).post("/ops/login", { password: "not it" });
    expect(await wrong.text()).toContain(hint);
    // Browsers say it over https alone, and to a machine's own address, where they keep such cookies.
    expect(await form({ "sec-fetch-site": "none" })).not.toContain(hint);
    // No proxy of ours said so.
    expect(await form({ "x-forwarded-proto": "https" })).toContain(hint);
  });
});
