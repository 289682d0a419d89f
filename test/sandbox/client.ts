import { afterAll, beforeAll, beforeEach } from "bun:test";
import { type RunningSandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/app.ts";

/** A Meta pixel and a Telegram bot the tests use. */
export const PIXEL = "1234567890123456";
export const BOT_TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr";

/** SHA-256 of "1", as a hashed user_data value. */
export const DIGEST = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";

/** What a request came to: status, headers, and the body as text and as JSON (`undefined` where it is not). */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Untyped as JSON.parse answers it: a test reads answers by their documented shape. */
  readonly json: ReturnType<typeof JSON.parse>;
}

/** A client for one running sandbox. */
interface SandboxClient {
  sandbox(): RunningSandbox;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a batch to the Conversions API with a token in the body. */
  send(events: readonly unknown[], extra?: Record<string, unknown>, pixel?: string): Promise<Answer>;
  /** Calls the Bot API with JSON. */
  bot(method: string, params?: Record<string, unknown>): Promise<Answer>;
}

/** Starts a sandbox for the test file, empties it before each test, stops it at the end. */
export function useSandbox(options: SandboxOptions = {}): SandboxClient {
  let running: RunningSandbox | null = null;
  const sandbox = () => {
    if (running === null) throw new Error("the sandbox is started in beforeAll");
    return running;
  };
  const call: SandboxClient["call"] = async (method, path, body, headers = {}) => {
    const response = await fetch(sandbox().url + path, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: jsonOrUndefined(text) };
  };
  beforeAll(async () => {
    running = await startSandbox(options);
  });
  beforeEach(async () => {
    for (const path of ["/events", "/requests", "/faults", "/telegram/calls", "/telegram/faults"]) {
      await call("DELETE", path);
    }
  });
  afterAll(async () => {
    await running?.stop();
  });
  return {
    sandbox,
    call,
    send: (events, extra = {}, pixel = PIXEL) =>
      call("POST", `/v24.0/${pixel}/events`, { data: events, access_token: "token", ...extra }),
    bot: (method, params = {}) => call("POST", `/bot${BOT_TOKEN}/${method}`, params),
  };
}

/** The code of the network error that `run` ends with, or "answered" where it does not fail. */
export async function networkErrorOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "answered";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** A PageView that keeps every rule, with some fields replaced; `undefined` removes a field. */
export function pageView(changes: Record<string, unknown> = {}, nowMs = Date.now()) {
  return withoutUndefined({
    event_name: "PageView",
    event_time: Math.floor(nowMs / 1000),
    event_id: "evt_1",
    action_source: "website",
    event_source_url: "https://ponte.example/go/demo?fbclid=IwAR0aBc",
    user_data: userData(),
    custom_data: { utm_source: "facebook" },
    ...changes,
  });
}

/** A Purchase that keeps every rule, with `custom_data` fields replaced. */
export function purchase(customData: Record<string, unknown> = {}) {
  return pageView({
    event_name: "Purchase",
    event_id: "purchase_1",
    custom_data: withoutUndefined({ value: 19.9, currency: "BRL", ...customData }),
  });
}

/** A website visitor's user_data, with some keys replaced; `undefined` removes a key. */
export function userData(changes: Record<string, unknown> = {}) {
  return withoutUndefined({
    external_id: [DIGEST],
    client_user_agent: "Mozilla/5.0",
    client_ip_address: "203.0.113.7",
    fbc: "fb.1.1700000000000.IwAR0aBc-_9",
    fbp: "fb.1.1700000000000.1234567890",
    ...changes,
  });
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
