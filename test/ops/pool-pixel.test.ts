import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { desc } from "drizzle-orm";
import { encode } from "uqr";
import { createPool } from "../../src/pools/manage-pools.ts";
import { useSandbox } from "../sandbox/client.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { errorsIn, inlineScripts } from "../support/html.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";

const TOKEN = "EAABtheTokenOfMetaThatNobodyReads";
const PIXEL = "1234567890";

const meta = useSandbox();
let own: TestApp;
let operator: TestOperator;
let path: string;
beforeAll(async () => {
  own = await createTestApp({
    OPERATOR_PASSWORD,
    PUBLIC_URL: "http://bridge.example.com",
    META_GRAPH_URL: meta.sandbox().url,
  });
  operator = await logIn(own);
  path = await poolPath({ slug: "tried", meta_pixel_id: PIXEL, meta_access_token: TOKEN });
});
afterAll(() => own.dispose());

interface Draft {
  readonly slug: string;
  readonly meta_pixel_id?: string;
  readonly meta_access_token?: string;
  readonly meta_cloaker_enabled?: boolean;
  readonly meta_cloaker_param_value?: string;
}

async function poolPath(draft: Draft) {
  const bots = [{ username: `${draft.slug}_bot` }];
  const made = await createPool(own.deps, "cli", { capture_params: ["src"], ...draft, bots });
  if (made.kind !== "created") throw new Error(`the pool was not made: ${made.kind}`);
  return `/ops/pools/${made.pool.id}`;
}

/** The page's QR code as rows of 1 for dark and 0 for light, as its squares are drawn. */
function squaresIn(html: string): string[] {
  const [, side = "0", path = ""] =
    /<svg class="qr" viewBox="0 0 (\d+) \1".*?<path d="([^"]+)" fill="#000">/s.exec(html) ?? [];
  const dark = new Set([...path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x} ${y}`));
  const row = (y: number) =>
    Array.from({ length: Number(side) }, (_, x) => (dark.has(`${x} ${y}`) ? "1" : "0"));
  return Array.from({ length: Number(side) }, (_, y) => row(y).join(""));
}

const sent = async () => (await meta.call("GET", "/events")).json;
const fault = (body: object) => meta.call("POST", "/faults", body);

describe(`the console's pixel test on ${testDialect}`, () => {
  test("a test event goes to Meta at once, under the code that was given, and the raw answer is shown", async () => {
    const answer = await operator.post(`${path}/test-event`, { test_event_code: "TEST77" });
    expect(answer.status).toBe(200);
    const html = await answer.text();
    expect(await sent()).toMatchObject([
      {
        pixel_id: PIXEL,
        test_event_code: "TEST77",
        event: { event_name: "PageView", event_source_url: "http://bridge.example.com/go/tried" },
      },
    ]);
    expect(html).toContain("Meta took the test event");
    expect(html).toContain("counted as one PageView");
    expect(html).toContain("Meta counts the event like any other");
    expect(html).toContain("HTTP 200");
    expect(html).toContain("events_received");
    expect(html).not.toContain(TOKEN);
    const { auditLog, outbox, pools } = own.db.tables;
    const [entry] = await own.db.select().from(auditLog).orderBy(desc(auditLog.id)).limit(1);
    expect(entry).toMatchObject({
      actor: "console",
      action: "pool.test_event",
      subject: "pool:tried",
      after: { test_event_code: "TEST77", outcome: "delivered" },
    });
    // The pool itself is not in test mode by it, and the outbox knows nothing of it.
    expect(await own.db.select({ code: pools.metaTestEventCode }).from(pools)).toEqual([{ code: null }]);
    expect(await own.db.$count(outbox)).toBe(0);
  });

  test("Meta's refusal is shown in its own words, as text", async () => {
    await fault({ mode: "190", times: 1 });
    const refused = await (await operator.post(`${path}/test-event`, { test_event_code: "TEST77" })).text();
    expect(refused).toContain("Meta refuses the token");
    expect(refused).toContain("HTTP 400");
    await fault({ mode: "garbage", times: 1 });
    const garbage = await operator.post(`${path}/test-event`, { test_event_code: "TEST77" });
    expect(garbage.status).toBe(200);
    const html = await garbage.text();
    expect(html).toContain("Meta could not take it now");
    expect(inlineScripts(html)).toEqual([]);
    await fault({ mode: "reset", times: 1 });
    const reset = await (await operator.post(`${path}/test-event`, { test_event_code: "TEST77" })).text();
    expect(reset).toContain("No answer after");
    expect(await sent()).toEqual([]);
  });

  test.each([
    [190, "Meta refuses the token"],
    [3, "The token does not reach the pixel"],
    [200, "The token does not reach the pixel"],
    [2500, "Meta is asked in a way that it does not know"],
    [2635, "Meta is asked in a way that it does not know"],
  ])("the title of Meta's code %d says what is to blame", async (code, title) => {
    await fault({ mode: "graph", times: 1, code });
    const html = await (await operator.post(`${path}/test-event`, { test_event_code: "TEST77" })).text();
    expect(html).toContain(title);
    expect(html.includes("refuses the token")).toBe(code === 190);
  });

  test("nothing is sent without a code, a pixel or a token, and the page says which", async () => {
    for (const code of ["", "not a code", "<script>"]) {
      const answer = await operator.post(`${path}/test-event`, { test_event_code: code });
      expect(answer.status).toBe(400);
      const html = await answer.text();
      expect(Object.keys(errorsIn(html))).toEqual(["test_event_code"]);
      expect(inlineScripts(html)).toEqual([]);
    }
    const bare = await poolPath({ slug: "bare" });
    for (const action of ["test-event", "check-pixel"]) {
      const answer = await operator.post(`${bare}/${action}`, { test_event_code: "TEST77" });
      expect(await answer.text()).toContain("The pool has no pixel");
    }
    const cookie = [...operator.cookies].map((pair) => pair.join("=")).join("; ");
    const body = new URLSearchParams({ test_event_code: "TEST77" });
    const forged = await own.request(`${path}/test-event`, { method: "POST", body, headers: { cookie } });
    expect(forged.status).toBe(403);
    expect((await meta.call("GET", "/requests")).json).toEqual([]);
    expect((await operator.post("/ops/pools/999999/test-event", {})).status).toBe(404);
    expect((await operator.get(`${path}/test-event`)).headers.get("location")).toBe(path);
  });

  test("the credential is checked without sending an event", async () => {
    const html = await (await operator.post(`${path}/check-pixel`)).text();
    expect(html).toContain(`The token reaches it: Sandbox pixel ${PIXEL}`);
    expect(html).not.toContain(TOKEN);
    expect(await sent()).toEqual([]);
  });

  test("the QR code says the visitor's link, the gate's parameter included and no campaign", async () => {
    const gate = { meta_cloaker_enabled: true, meta_cloaker_param_value: "k7Qx2" };
    const gated = await poolPath({ slug: "gated", ...gate });
    for (const [page, link] of [
      [path, "http://bridge.example.com/go/tried"],
      [`${gated}?link_utm_campaign=x`, "http://bridge.example.com/go/gated?grim=k7Qx2"],
    ] as const) {
      const drawn = squaresIn(await (await operator.get(page)).text());
      const expected = encode(link, { border: 4 }).data.map((row) => row.map(Number).join(""));
      expect(drawn).toEqual(expected);
      expect(drawn).not.toEqual(squaresIn(await (await operator.get(page === path ? gated : path)).text()));
    }
  });

  test("what Meta says is text, whatever it says", async () => {
    const words = `</pre><script>alert(1)</script><img src=x onerror="alert(2)">'&quot;`;
    await fault({ mode: "graph", times: 1, message: words });
    const html = await (await operator.post(`${path}/test-event`, { test_event_code: "TEST77" })).text();
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).not.toMatch(/<script>alert|<img[^>]*onerror/);
    expect(inlineScripts(html)).toEqual([]);
  });

  test("the link builder takes what is asked for, and says which macro is misspelt", async () => {
    const html = await (await operator.get(path)).text();
    expect(html).toContain("utm_campaign={{campaign.name}}&amp;utm_medium={{adset.name}}");
    const query = new URLSearchParams({
      link_utm_source: "ig & fb",
      link_utm_campaign: "{{campain.name}}",
      link_src: '"><script>alert(1)</script>',
    });
    const built = await (await operator.get(`${path}?${query}`)).text();
    expect(built).toContain("utm_source=ig%20%26%20fb&amp;utm_campaign={{campain.name}}");
    expect(errorsIn(built)).toEqual({ link_utm_campaign: "Meta does not fill in {{campain.name}}" });
    expect(inlineScripts(built)).toEqual([]);
  });
});
