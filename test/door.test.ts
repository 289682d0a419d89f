import { afterEach, expect, test } from "bun:test";
import { linesOf } from "../scripts/lib/lines.ts";
import { type Behind, type Door, openDispatcherDoor, openDoor } from "../src/door.ts";
import { LARGEST_BODY_BYTES, readBody } from "../src/platform/body.ts";
import { withDeadline } from "../src/platform/deadline.ts";
import { createLog } from "../src/platform/log.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0, role: "web" } as const;

/** Whoever asks for anything is answered so. */
const answering = (rest: Behind["rest"]): Behind => ({ visit: rest, rest });
const nothing = answering(() => new Response("nothing"));

const doors: Door[] = [];
afterEach(async () => {
  for (const { server } of doors.splice(0)) await server.stop(true);
});

async function open(
  behind: Behind,
  place: Parameters<typeof openDoor>[0] = LOOPBACK,
  log = createLog("silent"),
) {
  const door = await openDoor(place, behind, log);
  doors.push(door);
  return door;
}

function listeningLog() {
  const lines: string[] = [];
  return { lines, log: createLog("info", { write: (line) => void lines.push(line) }) };
}

test("what nobody has an answer to is answered with a problem, and shows nobody how the program looks inside", async () => {
  const { lines, log } = listeningLog();
  const broken = answering(async ({ url }) => new Response(new URL(new URL(url).search).href));
  const { server } = await open(broken, LOOPBACK, log);
  const answer = await fetch(`${server.url}broken?who=ana@example.com`);
  expect(answer.status).toBe(500);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(await answer.text()).not.toMatch(/URL|door\.test/);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("a request failed, and its answer too");
  expect(lines[0]).not.toContain("ana@");
});

test("it is left to the routes to refuse a long body, which say how long one may be", async () => {
  const { server } = await open(
    answering(async (request) => {
      const body = await readBody(request, LARGEST_BODY_BYTES);
      return body.kind === "read" ? new Response(String(body.text.length)) : body.response();
    }),
  );
  const send = (length: number) => fetch(server.url, { method: "POST", body: "x".repeat(length) });
  expect(await (await send(LARGEST_BODY_BYTES)).text()).toBe(String(LARGEST_BODY_BYTES));
  const refused = await send(3_000_000);
  expect(refused.status).toBe(413);
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(await refused.json()).toMatchObject({ detail: "The body may have at most 262144 bytes." });
});

test("a visit is led past all else, with its slug, whatever that looks like, as HEAD too; what else is asked is not", async () => {
  const who = (...words: string[]) =>
    new Response(null, { headers: { who: words.map(encodeURI).join(" ") } });
  const { server } = await open({
    visit: ({ method }, slug) => who(method, "visit", slug),
    rest: ({ method }) => who(method, "rest"),
  });
  const ask = async (path: string, method = "GET") => {
    const { headers } = await fetch(server.url.origin + path, { method });
    return decodeURI(headers.get("who") ?? "nobody");
  };
  expect(await ask("/go/summer?fbclid=x")).toBe("GET visit summer");
  expect(await ask("/go/ver%C3%A3o")).toBe("GET visit verão");
  expect(await ask("/go/%ff")).toBe("GET visit \ufffd");
  expect(await ask("/go/summer", "HEAD")).toBe("HEAD visit summer");
  expect(await ask("/go/summer", "POST")).toBe("POST rest");
  expect(await ask("/go")).toBe("GET rest");
  expect(await ask("/go/")).toBe("GET rest");
  expect(await ask("/go/summer/more")).toBe("GET rest");
});

test("who comes in after the door leads elsewhere is answered there", async () => {
  const door = await open(answering(() => new Response("before")));
  const ask = async (path: string) => (await fetch(door.server.url.origin + path)).text();
  expect([await ask("/go/summer"), await ask("/healthz")]).toEqual(["before", "before"]);
  door.leadTo({ visit: () => new Response("visit"), rest: () => new Response("rest") });
  expect([await ask("/go/summer"), await ask("/healthz")]).toEqual(["visit", "rest"]);
});

test("it opens beside another process' door, and says that both get visitors", async () => {
  const { lines, log } = listeningLog();
  const first = await open(nothing, LOOPBACK, log);
  expect(lines).toEqual([]);
  await open(nothing, { ...LOOPBACK, port: Number(first.server.port) }, log);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("each gets a part of the visitors");
});

test("it opens beside a process that hangs with all who came to it, and says so", async () => {
  const hanging = Bun.spawn(
    ["bun", "-e", "console.log(Bun.serve({ port: 0, reusePort: true, fetch: () => Response.json(1) }).port)"],
    { stdout: "pipe" },
  );
  const port = Number((await linesOf(hanging.stdout).next()).value);
  hanging.kill("SIGSTOP");
  try {
    // Until the kernel keeps no more of them.
    while (await isLetIn(port));
    const { lines, log } = listeningLog();
    await open(nothing, { ...LOOPBACK, port }, log);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("another process answers on this port too");
  } finally {
    // One that hangs outlives whoever started it.
    hanging.kill("SIGKILL");
  }
});

function isLetIn(port: number): Promise<boolean> {
  const visitor = Bun.connect({ hostname: LOOPBACK.host, port, socket: { data: () => undefined } });
  return withDeadline(visitor, 300).then(
    () => true,
    () => false,
  );
}

test("a dispatcher's is its own: beside it no other opens, for it would turn visitors away", async () => {
  const first = await open(nothing, { ...LOOPBACK, role: "dispatcher" });
  const port = Number(first.server.port);
  await expect(open(nothing, { ...LOOPBACK, port })).rejects.toThrow(`PORT: ${port} is taken on 127.0.0.1`);
});

test.each(["web", "dispatcher"] as const)(
  "a dispatcher goes without one where %s has the port",
  async (role) => {
    const { lines, log } = listeningLog();
    const first = await open(nothing, { ...LOOPBACK, role }, log);
    const place = { ...LOOPBACK, port: Number(first.server.port), role: "dispatcher" as const };
    expect(await openDispatcherDoor(place, nothing.rest, log)).toBeNull();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("works without health checks and metrics");
  },
);
