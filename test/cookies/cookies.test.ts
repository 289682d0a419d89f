import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { newId } from "../../src/platform/ids.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { startToken } from "../support/start-token.ts";

let own: TestApp;
beforeAll(async () => {
  own = await createTestApp({ PAGEVIEW_HOLD_MS: "600000" });
  await addPool(own.db, { slug: "open" });
  await own.deps.pools.refresh();
});
afterAll(() => own.dispose());

async function visit(query = "?fbclid=AbC") {
  const response = await own.request(`/go/open${query}`);
  const token = startToken(await response.text());
  if (!token) throw new Error("the page has no token");
  return token;
}

function beacon(body: string, headers: Record<string, string> = { "content-type": "text/plain" }) {
  return own.request("/api/tracking/cookies", { method: "POST", body, headers });
}

async function stored(token: string) {
  const { sessions, outbox } = own.db.tables;
  const [session] = await own.db.select().from(sessions).where(eq(sessions.trackingToken, token));
  const [event] = await own.db.select().from(outbox).where(eq(outbox.trackingToken, token));
  return { session, event };
}

const fbc = "fb.2.1600000000000.AbC.AQYBAQMA";
const fbp = "fb.1.1600000000000.1234567";

describe(`POST /api/tracking/cookies on ${testDialect}`, () => {
  test("fills in the session and the pending PageView together, and releases that one alone", async () => {
    const [token, later] = [await visit(), await visit()];
    const [held, alsoHeld] = [await stored(token), await stored(later)];
    const response = await beacon(
      JSON.stringify({ tracking_token: token, _fbp: fbp, _fbc: fbc, _fbi: "2001:db8::7.AQ" }),
    );
    expect(response.status).toBe(204);
    const { session, event } = await stored(token);
    expect(session).toMatchObject({ fbc, fbcOrigin: "cookie", fbp, fbi: "2001:db8::7.AQ" });
    expect(event?.payload).toMatchObject({ event_id: `evt_${token}`, user_data: { fbc, fbp } });
    expect(event?.availableAt.getTime()).toBeLessThan(held.event?.availableAt.getTime() ?? 0);
    expect(await stored(later)).toEqual(alsoHeld);
  });

  test("asks to be told again while the visit itself still waits for the database", async () => {
    const token = newId();
    own.deps.spool.append([{ key: token, body: "{}" }]);
    const response = await beacon(JSON.stringify({ tracking_token: token, _fbc: fbc }));
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    own.deps.spool.remove([token]);
    expect((await beacon(JSON.stringify({ tracking_token: token, _fbc: fbc }))).status).toBe(204);
  });

  test("never erases: an empty report changes nothing but the release", async () => {
    const token = await visit();
    await beacon(JSON.stringify({ tracking_token: token, _fbc: fbc }));
    await beacon(JSON.stringify({ tracking_token: token, _fbp: "", _fbc: null }));
    expect((await stored(token)).session).toMatchObject({ fbc, fbcOrigin: "cookie" });
  });

  test("one odd cookie does not cost the others: it is named and left out, and the PageView is released", async () => {
    for (const odd of [{ _fbp: "fb.1.x" }, { _fbp: "a=b" }, { _fbp: 7 }, { _fbi: "nowhere" }]) {
      const token = await visit();
      const held = await stored(token);
      const response = await beacon(JSON.stringify({ tracking_token: token, _fbc: fbc, ...odd }));
      expect(response.status).toBe(400);
      const { detail, errors } = await response.json();
      expect(detail).toContain("the others were taken");
      expect(errors).toMatchObject([{ path: Object.keys(odd)[0] }]);
      const { session, event } = await stored(token);
      expect(session).toMatchObject({ fbc, fbcOrigin: "cookie", fbp: held.session?.fbp, fbi: null });
      expect(event?.availableAt.getTime()).toBeLessThan(held.event?.availableAt.getTime() ?? 0);
    }
  });

  test("an address with repeated appendices, as the param builder writes it, is one with one", async () => {
    const token = await visit();
    const _fbi = "177.45.10.9.AQYCAQMB.AQYCAQMB.AQYCAQMB";
    expect((await beacon(JSON.stringify({ tracking_token: token, _fbi }))).status).toBe(204);
    const { session, event } = await stored(token);
    expect(session?.fbi).toBe("177.45.10.9.AQYCAQMB");
    expect(event?.payload).toMatchObject({ user_data: { client_ip_address: "177.45.10.9" } });
  });

  test("an event that failed goes with what the browser says, but not before its back-off is over", async () => {
    const token = await visit();
    const { outboxProgress } = own.db.tables;
    const id = (await stored(token)).event?.id ?? 0;
    const availableAt = new Date(Date.now() + 600_000);
    await own.db.transaction(async (tx) => {
      await tx.update(outboxProgress).set({ attempts: 1, availableAt }).where(eq(outboxProgress.id, id));
    });
    await beacon(JSON.stringify({ tracking_token: token, _fbc: fbc, _fbi: "2804:14c::7.AQ" }));
    const { event } = await stored(token);
    expect(event?.payload).toMatchObject({ user_data: { fbc, client_ip_address: "2804:14c::7" } });
    expect(event).toMatchObject({ status: "pending", attempts: 1 });
    expect(event?.availableAt).toEqual(availableAt);
  });

  test("an event that has left is not touched any more", async () => {
    const token = await visit();
    const { outboxProgress } = own.db.tables;
    const id = (await stored(token)).event?.id ?? 0;
    await own.db.transaction(async (tx) => {
      await tx.update(outboxProgress).set({ status: "delivered" }).where(eq(outboxProgress.id, id));
    });
    const before = (await stored(token)).event;
    await beacon(JSON.stringify({ tracking_token: token, _fbc: fbc }));
    const { session, event } = await stored(token);
    expect(event).toEqual(before);
    expect(session?.fbc).toBe(fbc);
  });

  test("an unknown token is answered like a known one, and nothing is stored", async () => {
    const before = await own.db.$count(own.db.tables.sessions);
    const response = await beacon(JSON.stringify({ tracking_token: "0".repeat(32), _fbp: fbp }));
    expect(response.status).toBe(204);
    expect(await own.db.$count(own.db.tables.sessions)).toBe(before);
  });

  test.each([
    ["not JSON", "hello", 400],
    ["an array", "[]", 400],
    ["no token", JSON.stringify({ _fbp: fbp }), 400],
    ["a short token", JSON.stringify({ tracking_token: "abc" }), 400],
    ["an fbp of another form", JSON.stringify({ tracking_token: "0".repeat(32), _fbp: "x" }), 400],
    [
      "markup in the fbc",
      JSON.stringify({ tracking_token: "0".repeat(32), _fbc: "fb.1.1600000000000.<b>" }),
      400,
    ],
    ["more than 4 kB", "x".repeat(4_097), 413],
    ["4 kB that are not JSON", "x".repeat(4_096), 400],
  ])("refuses %s with a problem that says what is wrong", async (_, body, status) => {
    const response = await beacon(body);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = await response.json();
    expect(problem).toMatchObject({ status, detail: expect.any(String), errors: expect.any(Array) });
  });

  test("refuses bytes that are no UTF-8, other methods and other sites", async () => {
    const bytes = await own.request("/api/tracking/cookies", {
      method: "POST",
      body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
    });
    expect(bytes.status).toBe(400);
    const headers = { "content-type": "application/json" };
    for (const init of [{}, { method: "PUT", headers, body: "{bad" }])
      expect((await own.request("/api/tracking/cookies", init)).status).toBe(405);
    expect((await beacon("{}", { "sec-fetch-site": "cross-site" })).status).toBe(403);
  });

  test("no body whatever makes it fail", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.json()), async (body) => {
        expect((await beacon(body)).status).toBeOneOf([204, 400]);
      }),
      { numRuns: 200 },
    );
  });

  test("two reports of one visit at once both count", async () => {
    const token = await visit("");
    await Promise.all([
      beacon(JSON.stringify({ tracking_token: token, _fbi: "203.0.113.9.AQ" })),
      beacon(JSON.stringify({ tracking_token: token, _fbc: fbc })),
    ]);
    expect((await stored(token)).session).toMatchObject({ fbc, fbi: "203.0.113.9.AQ" });
  });
});

describe("GET /api/tracking/ip", () => {
  test("tells the asker's own address, from a trusted proxy only, and nobody may keep it", async () => {
    const proxied = await createTestApp({ TRUSTED_PROXIES: "127.0.0.1" });
    for (const [app, expected] of [
      [own, "127.0.0.1"],
      [proxied, "2001:db8::5"],
    ] as const) {
      const headers = { "x-forwarded-for": "2001:db8::5" };
      const response = await fetch(`${app.listen()}/api/tracking/ip`, { headers });
      expect(await response.text()).toBe(expected);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.get("content-type")).toStartWith("text/plain");
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    }
    await proxied.dispose();
  });

  test("says nothing where the peer is unknown, and takes no other method", async () => {
    expect((await own.request("/api/tracking/ip")).status).toBe(204);
    const headers = { "content-type": "application/json" };
    const put = await own.request("/api/tracking/ip", { method: "PUT", headers, body: "{bad" });
    expect(put.status).toBe(405);
  });
});
