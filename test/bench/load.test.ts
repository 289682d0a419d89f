import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { createAnswerReader } from "../../scripts/bench/load/answers.ts";
import { clickText } from "../../scripts/bench/load/click-text.ts";
import { runConstantRate } from "../../scripts/bench/load/constant-rate.ts";
import { dueCount, dueMs } from "../../scripts/bench/load/schedule.ts";
import { parseWrk } from "../../scripts/bench/load/wrk.ts";

const WRK_OUTPUT = `Running 1s test @ http://127.0.0.1:4501/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   655.05us  173.01us   6.45ms   94.29%
  99112 requests in 1.00s, 603.04MB read
Requests/sec:  99012.36
Transfer/sec:    602.44MB
summary {"requests":99112,"seconds":1.001002,"bytes":632336560,"p50Ms":0.640,"p99Ms":1.190,"errors":{"connect":0,"read":0,"write":0,"status":3,"timeout":0}}
`;

test("wrk's summary is read out of everything else it prints", () => {
  expect(parseWrk(WRK_OUTPUT)).toEqual({
    requests: 99_112,
    seconds: 1.001002,
    bytes: 632_336_560,
    p50Ms: 0.64,
    p99Ms: 1.19,
    errors: { connect: 0, read: 0, write: 0, status: 3, timeout: 0 },
  });
});

test.each(["", "unable to connect to 127.0.0.1:1 Connection refused", 'summary {"requests":1}', "summary {"])(
  "output without a whole summary is no figure: %p",
  (output) => {
    expect(() => parseWrk(output)).toThrow();
  },
);

test("requests are due evenly, the first one at once", () => {
  expect(dueCount(-1, 1_000)).toBe(0);
  expect(dueCount(0, 1_000)).toBe(1);
  expect(dueCount(0.9, 1_000)).toBe(1);
  expect(dueCount(1_000, 250)).toBe(251);
  expect(dueMs(250, 250)).toBe(1_000);
});

test("a request counts as due exactly from its moment on", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e5 }), (request, rate) => {
      const moment = dueMs(request, rate);
      expect(dueCount(moment + 1e-4, rate)).toBeGreaterThan(request);
      expect(dueCount(moment - 1e-4, rate)).toBeLessThanOrEqual(request);
    }),
  );
});

/** Feeds a text in pieces of the given lengths (and the rest), and answers what the last piece completed. */
function readInPieces(text: string, lengths: readonly number[]) {
  const read = createAnswerReader();
  const whole = Buffer.from(text, "latin1");
  const seen = [];
  let from = 0;
  for (const length of [...lengths, whole.length]) {
    if (from >= whole.length) break;
    seen.push(read(whole.subarray(from, from + length)));
    from += length;
  }
  return seen;
}

test("an answer is complete with its last byte, however it is cut", () => {
  const text = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n${"é".repeat(20)}`;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (lengths) => {
      const seen = readInPieces(text, lengths);
      expect(seen.at(-1)).toEqual({ kind: "complete", status: 200 });
      expect(seen.slice(0, -1).every(({ kind }) => kind === "incomplete")).toBe(true);
    }),
  );
});

test("one connection's answers are read one after the other, with and without a body", () => {
  const read = createAnswerReader();
  const answers = ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\nno"];
  expect(answers.map((text) => read(Buffer.from(text)))).toEqual([
    { kind: "complete", status: 204 },
    { kind: "complete", status: 503 },
  ]);
});

test("every click has an id of its own, and some bring cookies", () => {
  const texts = Array.from({ length: 8 }, (_, n) => clickText("/go/open", "r1", n));
  expect(new Set(texts.map((text) => /fbclid=([^&]+)/.exec(text)?.[1])).size).toBe(8);
  expect(texts.filter((text) => text.includes("\r\nCookie: _fbp=fb.1."))).toHaveLength(2);
  expect(texts.every((text) => text.startsWith("GET /go/open?") && text.endsWith("\r\n\r\n"))).toBe(true);
});

let stallFromMs = 0;
let seen = 0;
const STALL_MS = 150;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    seen++;
    const { pathname } = new URL(request.url);
    if (pathname === "/wrong") return new Response("no", { status: 500 });
    if (pathname === "/stalls") {
      stallFromMs ||= performance.now();
      // Whoever comes while it stands still waits until it goes on.
      await Bun.sleep(Math.max(0, stallFromMs + STALL_MS - performance.now()));
    }
    return new Response("page");
  },
});
afterAll(() => server.stop(true));

const ORDER = { url: server.url.origin, ratePerSecond: 200, seconds: 0.5, connections: 2 };

test("a constant rate sends as many requests as it says, whatever is answered", async () => {
  const before = seen;
  const result = await runConstantRate({ ...ORDER, path: "/ok" });
  expect(result).toMatchObject({ answered: 100, unanswered: 0, wrong: 0 });
  expect(seen - before).toBe(100);
});

test("a server that stands still is charged for all that fell due meanwhile, not for one request a connection", async () => {
  const result = await runConstantRate({ ...ORDER, path: "/stalls" });
  // Thirty of a hundred fell due in the stall, on two connections; a closed loop would have counted two.
  expect(result.answered).toBe(100);
  expect(result.maxMs).toBeGreaterThan(STALL_MS / 2);
  expect(result.p99Ms).toBeGreaterThan(STALL_MS / 2);
});

test("answers that are no pages are no figure", async () => {
  await expect(runConstantRate({ ...ORDER, path: "/wrong" })).rejects.toThrow("100 answered with no page");
});
