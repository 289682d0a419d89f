import { afterEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { createLog } from "../src/platform/log.ts";
import { listen, MOST_REQUEST_BYTES } from "../src/serve.ts";

let app: { stop(closeActiveConnections: boolean): unknown };
let second: typeof app | undefined;
afterEach(async () => {
  await app.stop(true);
  await second?.stop(true);
  second = undefined;
});

describe("the door to the network", () => {
  test("answers with a problem where no handler could, and shows nobody how the program looks inside", async () => {
    const lines: string[] = [];
    const log = createLog("info", { write: (line) => void lines.push(line) });
    const broken = new Elysia()
      .onError(async ({ request }) => new URL(new URL(request.url).search).href)
      .get("/broken", () => Promise.reject(new Error("the first fault")));
    app = broken;
    await listen(broken, { host: "127.0.0.1", port: 0 }, log);
    const answer = await fetch(`http://127.0.0.1:${broken.server?.port}/broken?who=ana@example.com`);
    expect(answer.status).toBe(500);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.text()).not.toMatch(/URL|serve\.test/);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("a request failed, and its answer too");
    expect(lines[0]).not.toContain("ana@");
  });

  test("lets in no body that is much longer than any route takes", async () => {
    const taking = new Elysia().post("/", async ({ request }) => (await request.text()).length.toString(), {
      parse: "none",
    });
    app = taking;
    await listen(taking, { host: "127.0.0.1", port: 0 }, createLog("silent"));
    const url = `http://127.0.0.1:${taking.server?.port}`;
    const send = async (length: number) =>
      (await fetch(url, { method: "POST", body: "x".repeat(length) })).status;
    expect(await send(MOST_REQUEST_BYTES)).toBe(200);
    expect(await send(MOST_REQUEST_BYTES + 1)).toBe(413);
  });

  test("opens beside another process' door, and says that both get visitors", async () => {
    const lines: string[] = [];
    const log = createLog("info", { write: (line) => void lines.push(line) });
    const [first, beside] = [new Elysia(), new Elysia()];
    app = first;
    await listen(first, { host: "127.0.0.1", port: 0 }, log);
    expect(lines).toEqual([]);
    second = beside;
    await listen(beside, { host: "127.0.0.1", port: Number(first.server?.port) }, log);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("each gets a part of the visitors");
  });
});
