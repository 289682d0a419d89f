import { describe, expect, test } from "bun:test";
import { PIXEL, pageView, purchase, useSandbox } from "./client.ts";

const START_MS = Date.UTC(2026, 0, 10, 12);
const clock = { ms: START_MS };
const client = useSandbox({ now: () => clock.ms, maxEvents: 40 });
const event = (changes: Record<string, unknown> = {}) => pageView(changes, clock.ms);

describe("the access token", () => {
  test("is taken from the body or from the Authorization header", async () => {
    const path = `/v24.0/${PIXEL}/events`;
    const inBody = await client.call("POST", path, { data: [event()], access_token: "t" });
    const inHeader = await client.call("POST", path, { data: [event()] }, { authorization: "Bearer t" });
    expect([inBody.status, inHeader.status]).toEqual([200, 200]);
  });

  test("is asked for with an OAuthException 190 where it is missing or empty", async () => {
    for (const body of [{ data: [event()] }, { data: [event()], access_token: "" }]) {
      const answer = await client.call("POST", `/v24.0/${PIXEL}/events`, body);
      expect(answer.status).toBe(400);
      expect(answer.json.error).toMatchObject({ type: "OAuthException", code: 190 });
    }
  });

  test("is not found in a body that does not say that it is JSON", async () => {
    const body = { data: [event()], access_token: "t" };
    const plain = { "content-type": "text/plain" };
    const answer = await client.call("POST", `/v24.0/${PIXEL}/events`, body, plain);
    expect(answer.json.error.code).toBe(190);
  });

  test("is refused in the URL, and is not in the request log", async () => {
    const answer = await client.call("POST", `/v24.0/${PIXEL}/events?access_token=s3cret`, {
      data: [event()],
      access_token: "s3cret",
    });
    expect(answer.status).toBe(400);
    expect(answer.json.error.message).toContain("must not be in the URL");
    const log = await client.call("GET", "/requests");
    expect(log.json[0].path).toBe(`/v24.0/${PIXEL}/events?access_token=***`);
    expect(log.text).not.toContain("s3cret");
  });
});

describe("the address", () => {
  test("must name a version", async () => {
    const answer = await client.call("POST", `/latest/${PIXEL}/events`, {
      data: [event()],
      access_token: "t",
    });
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe(2500);
  });

  test("must name a pixel by its digits, else it does not exist (100/33)", async () => {
    const answer = await client.send([event()], {}, "my-pixel");
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ code: 100, error_subcode: 33 });
  });

  test("of a pixel alone describes it to whoever has a token", async () => {
    const path = `/v24.0/${PIXEL}`;
    expect((await client.call("GET", path, undefined, { authorization: "Bearer t" })).json.id).toBe(PIXEL);
    expect((await client.call("GET", path)).json.error.code).toBe(190);
  });
});

describe("deduplication", () => {
  test("keeps both deliveries in order and marks the second", async () => {
    await client.send([event({ event_id: "a" }), event({ event_id: "b" })]);
    expect((await client.send([event({ event_id: "a" })])).json.events_received).toBe(1);
    const listed = (await client.call("GET", "/events")).json;
    expect(listed.map((item: (typeof listed)[number]) => [item.event.event_id, item.duplicate])).toEqual([
      ["a", false],
      ["b", false],
      ["a", true],
    ]);
    expect((await client.call("GET", "/events/count")).json).toMatchObject({
      count: 3,
      first_deliveries: 2,
      duplicates: 1,
    });
  });

  test("works inside one request too", async () => {
    await client.send([event(), event()]);
    expect((await client.call("GET", "/events/count")).json.duplicates).toBe(1);
  });

  test("looks at pixel and event name as well as the id, and skips events without an id", async () => {
    await client.send([event()]);
    await client.send([event()], {}, "99");
    await client.send([event({ event_name: "Lead" })]);
    await client.send([event({ event_id: undefined }), event({ event_id: undefined })]);
    expect((await client.call("GET", "/events/count")).json).toMatchObject({ count: 5, duplicates: 0 });
  });

  test("ends 48 hours after the first delivery", async () => {
    const start = clock.ms;
    await client.send([event()]);
    clock.ms = start + 48 * 3_600_000 - 1000;
    await client.send([event()]);
    clock.ms = start + 48 * 3_600_000 + 1000;
    await client.send([event()]);
    const listed = (await client.call("GET", "/events")).json;
    expect(listed.map((item: (typeof listed)[number]) => item.duplicate)).toEqual([false, true, false]);
  });
});

describe("what was received", () => {
  test("is listed with time, pixel, test code and the event as sent", async () => {
    const sent = event();
    await client.send([sent], { test_event_code: "TEST123", partner_agent: "ponte" });
    expect((await client.call("GET", "/events")).json).toEqual([
      {
        received_at: new Date(clock.ms).toISOString(),
        pixel_id: PIXEL,
        test_event_code: "TEST123",
        duplicate: false,
        event: sent,
      },
    ]);
  });

  test("is found by pixel, event name and event id", async () => {
    await client.send([event({ event_id: "a" }), { ...purchase(), event_time: event().event_time }]);
    await client.send([event({ event_id: "b" })], {}, "99");
    const ids = async (query: string) => {
      const listed = (await client.call("GET", `/events?${query}`)).json;
      return listed.map((item: (typeof listed)[number]) => item.event.event_id);
    };
    expect(await ids("pixel=99")).toEqual(["b"]);
    expect(await ids("event_name=Purchase")).toEqual(["purchase_1"]);
    expect(await ids(`pixel=${PIXEL}&event_id=a`)).toEqual(["a"]);
    expect(await ids("limit=1")).toEqual(["b"]);
    expect((await client.call("GET", "/events/count?event_name=PageView")).json.count).toBe(2);
    expect((await client.call("GET", "/events/count?event_id=a")).json.count).toBe(1);
  });

  test("is bounded in memory, says so, and keeps the counts exact", async () => {
    for (let index = 0; index < 100; index += 1) await client.send([event({ event_id: `evt_${index}` })]);
    const count = (await client.call("GET", "/events/count")).json;
    expect(count).toMatchObject({ count: 100, first_deliveries: 100, kept: 40, dropped: 60, capacity: 40 });
    const listed = (await client.call("GET", "/events")).json;
    expect([listed.length, listed[0].event.event_id, listed.at(-1).event.event_id]).toEqual([
      40,
      "evt_60",
      "evt_99",
    ]);
  });

  test("is forgotten by DELETE /events, deduplication included", async () => {
    await client.send([event()]);
    expect((await client.call("DELETE", "/events")).status).toBe(204);
    expect((await client.call("GET", "/events")).json).toEqual([]);
    await client.send([event()]);
    expect((await client.call("GET", "/events/count")).json).toMatchObject({ count: 1, duplicates: 0 });
  });
});

describe("the request log", () => {
  test("has method, path, status, size, events and times, without secrets", async () => {
    const body = JSON.stringify({ data: [event(), event()] });
    await client.call("POST", `/v24.0/${PIXEL}/events`, body, {
      authorization: "Bearer s3cret",
      "x-probe": "shown",
    });
    await client.send([event({ event_name: "" })]);
    const log = await client.call("GET", "/requests");
    expect(log.json).toHaveLength(2);
    expect(log.json[0]).toMatchObject({
      at: clock.ms,
      method: "POST",
      path: `/v24.0/${PIXEL}/events`,
      status: 200,
      body_bytes: Buffer.byteLength(body),
      events: 2,
      fault: null,
      headers: { authorization: "***", "x-probe": "shown" },
    });
    expect(log.json[0].duration_ms).toBeGreaterThanOrEqual(0);
    expect(log.json[1]).toMatchObject({ status: 400, events: 0 });
    expect(log.text).not.toContain("s3cret");
  });

  test("leaves out the sandbox's own control calls", async () => {
    await client.call("GET", "/events");
    await client.call("GET", "/healthz");
    expect((await client.call("GET", "/requests")).json).toEqual([]);
  });
});

test("the sandbox is healthy, and answers unknown paths and wrong methods with 404 JSON", async () => {
  expect((await client.call("GET", "/healthz")).status).toBe(200);
  expect((await client.call("GET", "/nothing/here/at-all")).status).toBe(404);
  expect((await client.call("PUT", `/v24.0/${PIXEL}/events`, {})).json).toEqual({
    error: "unknown path or method",
  });
});

test("the page for people escapes what was sent", async () => {
  await client.send([event({ event_name: "<script>alert(1)</script>" })], { test_event_code: "<b>T</b>" });
  const page = await client.call("GET", "/");
  expect(page.headers.get("content-type")).toStartWith("text/html");
  expect(page.text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;, &lt;b&gt;T&lt;/b&gt;");
  expect(page.text).not.toContain("<script>");
});
