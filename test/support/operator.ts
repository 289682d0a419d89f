import { expect, spyOn } from "bun:test";
import type { TestApp } from "./app.ts";
import { type FormValues, formIn } from "./html.ts";

export const OPERATOR_PASSWORD = "a long sentence of the operator";

/** A browser at the console: keeps cookies, sends forms as a page of ours would. */
export interface TestOperator {
  readonly cookies: Map<string, string>;
  /** The session's CSRF token, as the last page had it. */
  csrfToken: string;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The page there, which must be. */
  see(path: string): Promise<string>;
  /** What the settings on that page, or what makes a new thing there, would send as they stand. */
  formOn(path: string): Promise<FormValues>;
  /** A form with the CSRF token; a list gives its field more than once. */
  post(path: string, fields?: Readonly<Record<string, string | readonly string[]>>): Promise<Response>;
}

/** A browser that is not logged in. */
export function newBrowser({ request }: Pick<TestApp, "request">): TestOperator {
  const cookies = new Map<string, string>();
  async function send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (cookies.size > 0) headers.set("cookie", [...cookies].map((pair) => pair.join("=")).join("; "));
    const response = await request(path, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "" || /Max-Age=0/.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }
  const browser: TestOperator = {
    cookies,
    csrfToken: "",
    async get(path, headers = {}) {
      const response = await send(path, { headers });
      const html = await response.clone().text();
      browser.csrfToken = /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? browser.csrfToken;
      return response;
    },
    async see(path) {
      const answer = await browser.get(path);
      expect(answer.status).toBe(200);
      return answer.text();
    },
    async formOn(path) {
      return formIn(await browser.see(path), path.endsWith("/new") ? path : `${path}#settings`);
    },
    post(path, fields = {}) {
      const body = new URLSearchParams();
      if (browser.csrfToken) body.set("_csrf", browser.csrfToken);
      for (const [name, value] of Object.entries(fields)) {
        for (const one of [value].flat()) body.append(name, one);
      }
      return send(path, { method: "POST", body, headers: { origin: "http://bridge.example.com" } });
    },
  };
  return browser;
}

/** A browser that is logged in; the app must run with `OPERATOR_PASSWORD`. @throws Error where it does not work. */
export async function logIn(app: Pick<TestApp, "request">): Promise<TestOperator> {
  // An app hashes its password at its first login.
  using _ = makePasswordsCheap();
  const browser = newBrowser(app);
  const answer = await browser.post("/ops/login", { password: OPERATOR_PASSWORD });
  if (answer.status !== 303) throw new Error(`the login was answered with ${answer.status}`);
  await browser.get("/ops");
  return browser;
}

const { hash } = Bun.password;

/** Makes those passwords cheap to check that are hashed until it is disposed of: argon2id at its least. */
export function makePasswordsCheap(): Disposable {
  return spyOn(Bun.password, "hash").mockImplementation((password) =>
    hash(password, { algorithm: "argon2id", memoryCost: 8, timeCost: 1 }),
  );
}
