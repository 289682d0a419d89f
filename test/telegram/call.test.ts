import { afterEach, describe, expect, test } from "bun:test";
import { callBotApi } from "../../src/telegram/call.ts";

const TOKEN = "700001:AAF-a_well_formed_token_of_a_test_bot";
const PAYMENT_TOKEN = "284685063:TEST:NThlNTAyNjYx";

const servers: { stop(force: boolean): unknown }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

/** A server that answers everything so. */
function telegram(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  servers.push(server);
  return server.url.origin;
}

type Call = Parameters<typeof callBotApi>[0];

function call(apiUrl: string, over: Partial<Call> = {}): Call {
  return {
    apiUrl,
    token: TOKEN,
    method: "sendInvoice",
    body: { chat_id: "5", provider_token: PAYMENT_TOKEN },
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    ...over,
  };
}

test("a call is a POST of JSON to the bot's own address", async () => {
  const sent: unknown[] = [];
  const url = telegram(async (request) => {
    sent.push(request.method, new URL(request.url).pathname, await request.json());
    return Response.json({ ok: true }, { status: 429, headers: { "retry-after": "7" } });
  });
  expect(await callBotApi(call(url))).toMatchObject({
    kind: "answered",
    status: 429,
    body: '{"ok":true}',
    retryAfterHeader: "7",
  });
  expect(sent).toEqual(["POST", `/bot${TOKEN}/sendInvoice`, { chat_id: "5", provider_token: PAYMENT_TOKEN }]);
});

test("with a file it is a form, whose fields are JSON where they are no text", async () => {
  const sent: unknown[] = [];
  const url = telegram(async (request) => {
    const form = await request.formData();
    const photo = form.get("photo");
    sent.push(form.get("chat_id"), form.get("reply_markup"));
    if (photo instanceof File) sent.push(photo.name, await photo.bytes());
    return Response.json({ ok: true });
  });
  const upload = { name: "photo", fileName: "pix.png", bytes: Uint8Array.of(1, 2, 3) };
  await callBotApi(call(url, { body: { chat_id: "5", reply_markup: { inline_keyboard: [] } }, upload }));
  expect(sent).toEqual(["5", '{"inline_keyboard":[]}', "pix.png", Uint8Array.of(1, 2, 3)]);
});

describe("the tokens of a call", () => {
  const secrets = [PAYMENT_TOKEN];

  test("are in no answer and no error, even where the other side repeats them", async () => {
    const echo = telegram(async (request) =>
      Response.json({ ok: false, description: `${request.url} ${await request.text()}` }, { status: 400 }),
    );
    const cut = telegram(() => new Response(`${"x".repeat(1_048_566)} ${PAYMENT_TOKEN}`, { status: 502 }));
    const answers = [
      await callBotApi(call(echo), secrets),
      await callBotApi(call(cut), secrets),
      await callBotApi(call("no url"), secrets),
      await callBotApi(call(`http://127.0.0.1:1/${PAYMENT_TOKEN}`), secrets),
    ];
    expect(answers.map(({ kind }) => kind)).toEqual(["answered", "answered", "unanswered", "unanswered"]);
    for (const answer of answers) {
      expect(JSON.stringify(answer)).not.toContain(TOKEN.slice(0, 12));
      expect(JSON.stringify(answer)).not.toContain(PAYMENT_TOKEN.slice(0, 8));
    }
  });

  test("do not follow a redirect", async () => {
    let asked = 0;
    const elsewhere = telegram(() => {
      asked += 1;
      return Response.json({ ok: true });
    });
    const url = telegram(() => Response.redirect(elsewhere, 307));
    expect(await callBotApi(call(url))).toMatchObject({ kind: "answered", status: 307 });
    expect(asked).toBe(0);
  });
});

describe("a call that is not answered", () => {
  const never = () => new Promise<Response>(() => undefined);

  test("in time says after how long it was given up", async () => {
    expect(await callBotApi(call(telegram(never), { timeoutMs: 30 }))).toMatchObject({
      kind: "unanswered",
      error: "time-out: no answer within 30 ms",
    });
  });

  test("before the process stops is given up at once", async () => {
    const stop = new AbortController();
    const url = telegram(() => {
      stop.abort();
      return never();
    });
    expect(await callBotApi(call(url, { signal: stop.signal }))).toMatchObject({
      kind: "unanswered",
      error: "given up: stopping",
    });
  });
});
