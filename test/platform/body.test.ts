import { afterAll, beforeAll, expect, test } from "bun:test";
import { readBody } from "../../src/platform/body.ts";

let server: Bun.Server<undefined>;
beforeAll(() => {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const body = await readBody(request, 1_000);
      return body.kind === "read" ? new Response(body.text) : body.response();
    },
  });
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
