import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { until } from "../support/until.ts";
import { networkErrorOf, PIXEL, pageView, useSandbox } from "./client.ts";

const client = useSandbox();
const arm = (fault: Record<string, unknown>) => client.call("POST", "/faults", fault);
const count = async () => (await client.call("GET", "/events/count")).json;
const batch = (size: number, prefix = "evt") =>
  Array.from({ length: size }, (_, index) => pageView({ event_id: `${prefix}_${index}` }));

describe("a fault answers as the real thing does", () => {
  test("500 is a transient Graph error and records nothing", async () => {
    await arm({ mode: "500" });
    const answer = await client.send([pageView()]);
    expect(answer.status).toBe(500);
    expect(answer.json.error).toMatchObject({ type: "OAuthException", code: 1, is_transient: true });
    expect(answer.json.error.fbtrace_id).toMatch(/^A/);
    expect((await count()).count).toBe(0);
  });

  test("429 without a time is the application limit (code 4)", async () => {
    await arm({ mode: "429" });
    const answer = await client.send([pageView()]);
    expect(answer.status).toBe(429);
    expect(answer.json.error.code).toBe(4);
    expect(answer.headers.get("retry-after")).toBeNull();
    expect(JSON.parse(answer.headers.get("x-app-usage") ?? "").call_count).toBe(100);
  });

  test.each([
    [5, 0],
    [120, 2],
  ])("429 with retry_after %d s says so in both headers (code 80004)", async (seconds, minutes) => {
    await arm({ mode: "429", retry_after: seconds });
    const answer = await client.send([pageView()]);
    expect(answer.status).toBe(429);
    expect(answer.json.error.code).toBe(80004);
    expect(answer.headers.get("retry-after")).toBe(String(seconds));
    const usage = JSON.parse(answer.headers.get("x-business-use-case-usage") ?? "");
    expect(usage[PIXEL][0].estimated_time_to_regain_access).toBe(minutes);
  });

  test("190 is a refused token, HTTP 400", async () => {
    await arm({ mode: "190" });
    const answer = await client.send([pageView()]);
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ code: 190, type: "OAuthException", is_transient: false });
  });

  test("garbage is an HTML page where JSON was due, with the status asked for", async () => {
    await arm({ mode: "garbage" });
    await arm({ mode: "garbage", status: 502 });
    const [first, second] = [await client.send([pageView()]), await client.send([pageView()])];
    expect([first.status, second.status]).toEqual([200, 502]);
    expect(first.text).toStartWith("<html>");
    expect(first.json).toBeUndefined();
  });

  test("graph answers whatever Graph error is asked for", async () => {
    await arm({ mode: "graph", status: 403, code: 200, error_subcode: 7, message: "no permission" });
    const answer = await client.send([pageView()]);
    expect(answer.status).toBe(403);
    expect(answer.json.error).toMatchObject({ code: 200, error_subcode: 7, message: "no permission" });
  });

  test("latency delays the answer, then takes the events", async () => {
    await arm({ mode: "latency", ms: 60 });
    expect((await client.send([pageView()])).json.events_received).toBe(1);
    const [request] = (await client.call("GET", "/requests")).json;
    expect(request).toMatchObject({ fault: "latency", status: 200, events: 1 });
    expect(request.duration_ms).toBeGreaterThanOrEqual(55);
  });

  test("partial counts and records only a part, half where not said", async () => {
    await arm({ mode: "partial", accept: 3 });
    await arm({ mode: "partial" });
    expect((await client.send(batch(10, "a"))).json.events_received).toBe(3);
    expect((await client.send(batch(10, "b"))).json.events_received).toBe(5);
    const listed = (await client.call("GET", "/events")).json;
    expect(listed.map((item: (typeof listed)[number]) => item.event.event_id)).toEqual([
      "a_0",
      "a_1",
      "a_2",
      "b_0",
      "b_1",
      "b_2",
      "b_3",
      "b_4",
    ]);
  });
});

describe("reset", () => {
  test("breaks the connection for an HTTP client, and the next request goes through", async () => {
    await arm({ mode: "reset" });
    expect(await networkErrorOf(() => client.send([pageView()]))).toBe("ECONNRESET");
    expect((await count()).count).toBe(0);
    expect((await client.send([pageView()])).status).toBe(200);
    const requests = (await client.call("GET", "/requests")).json;
    expect(requests[0]).toMatchObject({ status: null, fault: "reset", events: 0 });
  });

  test("sends not one byte before the connection breaks", async () => {
    await arm({ mode: "reset" });
    const body = JSON.stringify({ data: [pageView()], access_token: "t" });
    const { port } = client.sandbox();
    const end = await new Promise<{ bytes: number; code: string }>((resolve) => {
      let bytes = 0;
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(
          `POST /v24.0/${PIXEL}/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      });
      socket.on("data", (chunk) => {
        bytes += chunk.length;
      });
      socket.on("error", (error) => resolve({ bytes, code: "code" in error ? String(error.code) : "" }));
      socket.on("close", () => resolve({ bytes, code: "closed" }));
    });
    expect(end.bytes).toBe(0);
    expect(["ECONNRESET", "closed"]).toContain(end.code);
  });
});

describe("a fault after the events were recorded", () => {
  test.each(["500", "429", "190", "garbage"])(
    "%s hides a success, so that a retry duplicates",
    async (mode) => {
      await arm({ mode, after: true });
      await client.send([pageView()]);
      expect((await client.send([pageView()])).json.events_received).toBe(1);
      expect(await count()).toMatchObject({ count: 2, first_deliveries: 1, duplicates: 1 });
    },
  );

  test("reset hides a success too", async () => {
    await arm({ mode: "reset", after: true });
    expect(await networkErrorOf(() => client.send([pageView()]))).toBe("ECONNRESET");
    expect((await count()).count).toBe(1);
    expect((await client.call("GET", "/requests")).json[0]).toMatchObject({ status: null, events: 1 });
  });

  test("a client that gives up during the latency leaves its events recorded", async () => {
    await arm({ mode: "latency", ms: 30_000, after: true });
    const giveUp = new AbortController();
    const request = fetch(`${client.sandbox().url}/v24.0/${PIXEL}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ data: [pageView()], access_token: "t" }),
      signal: giveUp.signal,
    });
    await until(async () => (await count()).count > 0, 1);
    giveUp.abort();
    expect(await networkErrorOf(() => request)).not.toBe("answered");
    expect((await count()).count).toBe(1);
  });

  test("does not hide a refusal: there is nothing to hide", async () => {
    await arm({ mode: "500", after: true });
    const answer = await client.send([pageView({ event_name: "" })]);
    expect(answer.json.error.code).toBe(100);
    expect((await client.call("GET", "/requests")).json[0].fault).toBeNull();
  });
});

describe("when faults strike", () => {
  test("once where nothing is said, `times` times where it is, then never", async () => {
    await arm({ mode: "500" });
    await arm({ mode: "190", times: 2 });
    const statuses = [];
    for (let index = 0; index < 4; index += 1) statuses.push((await client.send([pageView()])).status);
    expect(statuses).toEqual([500, 400, 400, 200]);
    expect((await client.call("GET", "/faults")).json).toEqual([]);
  });

  test("only on their pixel", async () => {
    await arm({ mode: "500", pixel: "77" });
    expect((await client.send([pageView()])).status).toBe(200);
    expect((await client.send([pageView()], {}, "77")).status).toBe(500);
  });

  test("with a rate: some of the time, the same way again for the same seed, until deleted", async () => {
    const run = async () => {
      await client.call("DELETE", "/faults");
      await arm({ mode: "500", rate: 0.5, seed: 7 });
      const statuses = [];
      for (let index = 0; index < 40; index += 1) statuses.push((await client.send([pageView()])).status);
      return statuses;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await run()).toEqual(first);
    const [fault] = (await client.call("GET", "/faults")).json;
    expect(fault).toMatchObject({ remaining: null, hits: first.filter((status) => status === 500).length });
    expect((await client.call("DELETE", "/faults")).json).toEqual({ cleared: 1 });
    expect((await client.send([pageView()])).status).toBe(200);
  });

  test("a rate of 0 never strikes, a rate of 1 always", async () => {
    await arm({ mode: "500", rate: 0 });
    expect((await client.send([pageView()])).status).toBe(200);
    await arm({ mode: "500", rate: 1, times: 1 });
    expect((await client.send([pageView()])).status).toBe(500);
    expect((await client.send([pageView()])).status).toBe(200);
  });
});

test.each([
  [{}, /mode/],
  [{ mode: "404" }, /mode/],
  [{ mode: "500", times: 0 }, /times/],
  [{ mode: "500", rate: 2 }, /rate/],
  [{ mode: "500", retry: 1 }, /retry/],
  ["not json", /JSON/],
])("a fault that makes no sense is refused with 400 and a reason: %p", async (fault, words) => {
  const answer = await client.call("POST", "/faults", fault);
  expect(answer.status).toBe(400);
  expect(answer.json.error).toMatch(words);
  expect((await client.call("GET", "/faults")).json).toEqual([]);
});
