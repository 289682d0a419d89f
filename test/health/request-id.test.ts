import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";
import { addPool } from "../support/pools.ts";
import { startToken } from "../support/start-token.ts";
import { type Observed, PIXEL, startObserved } from "./observed.ts";

let own: Observed;
beforeAll(async () => {
  own = await startObserved();
  const sealed = own.deps.secrets.seal(`EAA${"x".repeat(40)}`, "pools.meta_access_token");
  await addPool(own.db, { slug: "open", metaPixelId: PIXEL, metaAccessToken: sealed });
  await addPool(own.db, { slug: "botless" }, []);
  await own.deps.pools.refresh();
});
afterAll(() => own.dispose());

const lines = (message: string) => own.logLines.filter(({ msg }) => msg === message);
const forge = (headers: Record<string, string> = {}, app = own) =>
  fetch(`${app.base}/api/payments/webhooks/generic`, { method: "POST", body: "{}", headers });

describe("request ids", () => {
  test("a problem shows the id that its log lines carry", async () => {
    const answer = await forge();
    const { request_id: id } = await answer.json();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.headers.get("x-request-id")).toBe(id);
    expect(lines("a webhook was refused").map((line) => line.request_id)).toEqual([id]);
  });

  test("requests at the same time each have their own", async () => {
    const before = lines("a webhook was refused").length;
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { request_id } = await (await forge()).json();
        return String(request_id);
      }),
    );
    expect(new Set(ids).size).toBe(20);
    const logged = lines("a webhook was refused").slice(before);
    expect(logged.map((line) => String(line.request_id)).sort()).toEqual(ids.sort());
  });

  test("a trusted proxy brings its own, if it is well formed", async () => {
    const idFor = async (given: string) =>
      (await forge({ "x-request-id": given })).headers.get("x-request-id");
    expect(await idFor("edge-7f3a.2:01_b")).toBe("edge-7f3a.2:01_b");
    for (const bad of ["short", "a".repeat(129), 'quote"quote', "two words", "línea-123456"]) {
      expect(await idFor(bad)).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  test("nobody else does", async () => {
    const alone = await startObserved({ TRUSTED_PROXIES: "10.0.0.0/8" });
    const answer = await forge({ "x-request-id": "edge-7f3a.2:01_b" }, alone);
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
    await alone.dispose();
  });

  test("addresses that do not exist have one too", async () => {
    const answer = await fetch(`${own.base}/nothing/here`);
    expect(await answer.json()).toMatchObject({
      status: 404,
      request_id: answer.headers.get("x-request-id"),
    });
  });

  test("a visit's log line carries one", async () => {
    await own.go("/go/botless", { "x-request-id": "edge-visit-0001" });
    const [line] = lines("no bot can be chosen: add one, or enable one of the pool's");
    expect(line?.request_id).toBe("edge-visit-0001");
  });

  test("what a request sets off but nobody asked for carries none", async () => {
    own.dispatcher.start();
    await own.pay({ provider_ref: "r1", status: "paid", amount_minor: 100, currency: "BRL" });
    const html = await (await own.go("/go/open")).text();
    const token = startToken(html);
    await fetch(`${own.base}/api/tracking/cookies`, {
      method: "POST",
      body: JSON.stringify({ tracking_token: token, _fbp: "fb.1.1700000000000.123456" }),
    });
    while (lines("[META RAW RESPONSE]").length === 0) await yieldToEventLoop();
    expect(lines("[META RAW RESPONSE]").map((line) => line.request_id)).toEqual([undefined]);
  });
});
