import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readBody } from "../../src/platform/body.ts";
import { until } from "../support/until.ts";

let server: Bun.Server<undefined>;
/** Each answer's status, or what was thrown instead; also of answers that nobody hears. */
let outcomes: unknown[] = [];
beforeAll(() => {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      arrived.resolve();
      try {
        const body = await readBody(request, 1_000);
        const response = body.kind === "read" ? new Response(body.text) : body.response();
        outcomes.push(response.status);
        return response;
      } catch (error) {
        outcomes.push(error);
        throw error;
      }
    },
  });
});
let arrived = Promise.withResolvers<void>();
beforeEach(() => {
  outcomes = [];
  arrived = Promise.withResolvers();
});
afterAll(() => server.stop(true));

/** Sends a body that does not say how long it is, and never its end where `isWhole` is false. */
async function send(chunks: readonly string[], { isWhole }: { isWhole: boolean }): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      if (isWhole) controller.close();
    },
  });
  return fetch(server.url, { method: "POST", body });
}

test("a body in chunks is read whole", async () => {
  expect(await (await send(["um ", "café"], { isWhole: true })).text()).toBe("um café");
});

test("a body in chunks is refused as soon as it is too long, whatever else would come", async () => {
  const answer = await send(["x".repeat(600), "x".repeat(600)], { isWhole: false });
  expect(answer.status).toBe(413);
});

test.each([
  ["of a known length", "content-length: 200\r\n\r\nhello"],
  ["in chunks", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
])("a body %s whose sender hangs up before its end is the sender's fault, not ours", async (_, rest) => {
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    socket: { data: () => undefined },
  });
  socket.write(`POST / HTTP/1.1\r\nhost: ponte\r\n${rest}`);
  await arrived.promise;
  socket.terminate();
  await until(async () => outcomes.length > 0);
  expect(outcomes).toEqual([400]);
});

test.each([1_000, 1_001])(
  "a body of %d bytes is read or refused as what it has, not as what it says",
  async (bytes) => {
    const text = "x".repeat(bytes);
    const known = await fetch(server.url, { method: "POST", body: text });
    const inChunks = await send([text.slice(0, 500), text.slice(500)], { isWhole: true });
    for (const answer of [known, inChunks]) {
      expect(answer.status).toBe(bytes > 1_000 ? 413 : 200);
      // What was not read of it would be taken for the next request.
      if (bytes > 1_000) expect(answer.headers.get("connection")).toBe("close");
    }
  },
);

test("a body that is no UTF-8 is refused", async () => {
  const answer = await fetch(server.url, { method: "POST", body: Uint8Array.of(0x61, 0xff) });
  expect(answer.status).toBe(400);
});
