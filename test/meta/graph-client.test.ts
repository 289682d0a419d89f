import { afterEach, describe, expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { type SendEventsRequest, sendEvents } from "../../src/meta/graph-client.ts";
import { outcomeOf } from "../../src/meta/outcome.ts";
import { LONGEST_ANSWER } from "../../src/platform/read-answer.ts";

const TOKEN = "EAABsbCS1iHgBO9zTOKENzZAqZBx7secret";

interface Received {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that answers everything so, and what it was sent. */
function graph(answer: (request: Received) => Response | Promise<Response>) {
  const received: Received[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const seen = { url: request.url, headers: request.headers, body: await request.text() };
      received.push(seen);
      return answer(seen);
    },
  });
  closers.push(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, received };
}

/** Meta's usage header for so many businesses, the last of which has used everything up. */
function usageOf(businesses: number): string {
  const quota = { type: "ads_management", call_count: 1, total_cputime: 1, total_time: 1 };
  const usage = Array.from({ length: businesses }, (_, i) => [
    String(1_000_000_000_000_000 + i),
    [{ ...quota, estimated_time_to_regain_access: i === businesses - 1 ? 7 : 0 }],
  ]);
  return JSON.stringify(Object.fromEntries(usage));
}

test("a usage header of many businesses is read whole", async () => {
  const usage = usageOf(40);
  expect(usage.length).toBeGreaterThan(4_000);
  const { url } = graph(() =>
    Response.json({ events_received: 1 }, { headers: { "x-business-use-case-usage": usage } }),
  );
  const answer = await sendEvents(request(url));
  expect(outcomeOf(answer, 1)).toMatchObject({ kind: "delivered", usageDelayMs: 7 * 60_000 });
});

/** A server below HTTP: it writes these bytes when a request arrives, and hangs up. */
function rawServer(reply: string): string {
  const listener = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      data(socket) {
        if (reply === "") socket.terminate();
        else {
          socket.write(reply);
          socket.flush();
          socket.terminate();
        }
      },
    },
  });
  closers.push(() => listener.stop(true));
  return `http://127.0.0.1:${listener.port}`;
}

function request(graphUrl: string, over: Partial<SendEventsRequest> = {}): SendEventsRequest {
  return {
    graphUrl,
    version: "v24.0",
    pixelId: "1234567890",
    accessToken: TOKEN,
    testEventCode: null,
    events: ['{"event_id":"a"}', '{"event_id":"b","x":"é"}'],
    timeoutMs: 5000,
    ...over,
  };
}

describe("a batch on its way to Meta", () => {
  test("is one POST with the events as they were, the token in the body", async () => {
    const server = graph(() => Response.json({ events_received: 2, messages: [], fbtrace_id: "T" }));
    const answer = await sendEvents(request(server.url, { testEventCode: "TEST123", partnerAgent: "ponte" }));

    expect(answer).toMatchObject({ kind: "answered", status: 200 });
    expect(outcomeOf(answer, 2)).toMatchObject({ kind: "delivered", fbtraceId: "T" });
    const [sent] = server.received;
    expect(server.received).toHaveLength(1);
    expect(sent?.url).toBe(`${server.url}/v24.0/1234567890/events`);
    expect(sent?.headers.get("content-type")).toBe("application/json");
    expect(JSON.parse(sent?.body ?? "")).toEqual({
      data: [{ event_id: "a" }, { event_id: "b", x: "é" }],
      test_event_code: "TEST123",
      partner_agent: "ponte",
      access_token: TOKEN,
    });
  });

  test("leaves nothing behind at the signal by which a process gives all of them up", async () => {
    const server = graph(() => Response.json({ events_received: 2 }));
    const { signal } = new AbortController();
    await sendEvents(request(server.url, { signal }));
    await sendEvents(request("not a url", { signal }));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("leaves out a test code and a partner that are not set", async () => {
    const server = graph(() => Response.json({ events_received: 2 }));
    await sendEvents(request(server.url));
    expect(Object.keys(JSON.parse(server.received[0]?.body ?? ""))).toEqual(["data", "access_token"]);
  });

  test("cannot leave its path by an odd pixel id", async () => {
    const server = graph(() => Response.json({ events_received: 2 }));
    await sendEvents(request(server.url, { pixelId: "../me?x=" }));
    expect(server.received[0]?.url).toBe(`${server.url}/v24.0/..%2Fme%3Fx%3D/events`);
  });

  test("keeps the headers that decide something, and only those", async () => {
    const headers = {
      "Retry-After": "7",
      "X-App-Usage": '{"call_count":100}',
      "Set-Cookie": "a=b",
      "X-Other": "1",
    };
    const server = graph(() => new Response("{}", { status: 429, headers }));
    const answer = await sendEvents(request(server.url));
    expect(answer).toMatchObject({ headers: { "retry-after": "7", "x-app-usage": '{"call_count":100}' } });
    expect(JSON.stringify(answer)).not.toMatch(/a=b|x-other/);
  });

  test("does not follow a redirect: the token would go along", async () => {
    const elsewhere = graph(() => Response.json({ events_received: 2 }));
    const server = graph(() => Response.redirect(elsewhere.url, 307));
    const answer = await sendEvents(request(server.url));
    expect(answer).toMatchObject({ kind: "answered", status: 307 });
    expect(elsewhere.received).toEqual([]);
    expect(outcomeOf(answer, 2).kind).toBe("transient");
  });
});

describe("an answer that does not come as it should", () => {
  test("too late is unanswered, and says after how long", async () => {
    const server = graph(() => new Promise<Response>(() => {}));
    const answer = await sendEvents(request(server.url, { timeoutMs: 30 }));
    expect(answer).toMatchObject({ kind: "unanswered", error: "time-out: no answer within 30 ms" });
    expect(outcomeOf(answer, 2)).toMatchObject({ kind: "transient" });
  });

  test("begun in time but never ended is unanswered too", async () => {
    const stalled = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"events_received":'));
      },
    });
    const server = graph(() => new Response(stalled));
    const answer = await sendEvents(request(server.url, { timeoutMs: 100 }));
    expect(answer).toMatchObject({ kind: "unanswered", error: "time-out: no answer within 100 ms" });
  });

  test("given up by the caller is unanswered", async () => {
    const stop = new AbortController();
    const server = graph(() => {
      stop.abort();
      return new Promise<Response>(() => {});
    });
    const answer = await sendEvents(request(server.url, { signal: stop.signal }));
    expect(answer).toMatchObject({ kind: "unanswered", error: "given up: stopping" });
    const late = await sendEvents(request(server.url, { signal: stop.signal }));
    expect(late).toMatchObject({ kind: "unanswered", error: "given up: stopping" });
    expect(server.received).toHaveLength(1);
  });

  test("from a connection that is reset is unanswered", async () => {
    expect(await sendEvents(request(rawServer("")))).toMatchObject({ kind: "unanswered" });
  });

  test("cut off inside its body is unanswered, whatever its status", async () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n";
    const answer = await sendEvents(request(rawServer(`${head}{"events_received":2,`)));
    expect(answer).toMatchObject({ kind: "unanswered" });
  });

  test("that is no HTTP is unanswered", async () => {
    expect(await sendEvents(request(rawServer("SSH-2.0-OpenSSH_9.9\r\n\r\n")))).toMatchObject({
      kind: "unanswered",
    });
  });

  test("from nowhere is unanswered, not thrown", async () => {
    const closed = graph(() => new Response());
    await closers.pop()?.();
    expect(await sendEvents(request(closed.url))).toMatchObject({ kind: "unanswered" });
    expect(await sendEvents(request("not a url"))).toMatchObject({ kind: "unanswered" });
  });

  test("of megabytes is cut", async () => {
    const server = graph(() => new Response("x".repeat(5_000_000), { status: 502 }));
    const answer = await sendEvents(request(server.url));
    expect(answer.kind === "answered" ? answer.body.length : 0).toBeWithin(1, LONGEST_ANSWER + 1);
    expect(outcomeOf(answer, 2).kind).toBe("transient");
  });

  test("that says much is read to its end", async () => {
    const messages = Array.from({ length: 1_000 }, (_, i) => `event ${i}: a parameter that is not known`);
    const server = graph(() => Response.json({ messages, events_received: 2, fbtrace_id: "A1" }));
    expect(outcomeOf(await sendEvents(request(server.url)), 2)).toMatchObject({
      kind: "delivered",
      messages,
    });
  });

  test("without a body, or of odd bytes, is handed on as it is", async () => {
    const empty = graph(() => new Response(null, { status: 204 }));
    expect(await sendEvents(request(empty.url))).toMatchObject({ kind: "answered", status: 204, body: "" });
    const odd = graph(() => new Response(new Uint8Array([0xff, 0xfe, 0x00, 0x41])));
    expect(await sendEvents(request(odd.url))).toMatchObject({ kind: "answered", status: 200 });
  });
});

describe("the access token", () => {
  test("is not even in half where a long answer is cut inside it", async () => {
    const before = "x ".repeat(LONGEST_ANSWER / 2 - 5);
    const server = graph(() => new Response(`${before}${TOKEN}${" y".repeat(99)}`, { status: 502 }));
    const answer = await sendEvents(request(server.url));
    expect(answer.kind === "answered" && answer.body.slice(-12)).toBe("x [redacted]");
  });

  test("is in no address, no error and no answer, even where the server repeats it", async () => {
    const echo = graph(({ body, url }) => {
      const headers = {
        "WWW-Authenticate": `OAuth "Malformed access token ${TOKEN}"`,
        "X-FB-Trace-ID": TOKEN,
      };
      const error = { message: `Malformed access token ${TOKEN}`, code: 190, error_user_msg: body };
      return Response.json({ error, url: `${url}?access_token=${TOKEN}`, body }, { status: 400, headers });
    });
    const answers = [
      await sendEvents(request(echo.url)),
      await sendEvents(request(graph(({ body }) => new Response(body.repeat(500))).url)),
      await sendEvents(request(`http://127.0.0.1:1/${TOKEN}`)),
      await sendEvents(request(`no url ${TOKEN}`)),
      await sendEvents(request(rawServer(`HTTP/1.1 200 ${TOKEN}\r\nContent-Length: 99\r\n\r\n${TOKEN}`))),
    ];
    for (const answer of answers) {
      expect(JSON.stringify(answer)).not.toContain(TOKEN.slice(0, 12));
      expect(JSON.stringify(outcomeOf(answer, 2))).not.toContain(TOKEN.slice(0, 12));
    }
    expect(outcomeOf(answers[0] ?? { kind: "unanswered", error: "", durationMs: 0 }, 2)).toMatchObject({
      kind: "credential",
      code: 190,
    });
    for (const { url, headers } of echo.received) {
      expect(url).not.toContain(TOKEN);
      expect(JSON.stringify([...headers])).not.toContain(TOKEN);
    }
  });
});
