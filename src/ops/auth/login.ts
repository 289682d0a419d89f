import { Elysia } from "elysia";
import { type LoginFault, loginPage } from "../../../views/ops/login.tsx";
import { recordAudit } from "../../audit/audit-log.ts";
import { readBody } from "../../platform/body.ts";
import { newId } from "../../platform/ids.ts";
import { openSealed } from "../../platform/open-sealed.ts";
import { peerOf } from "../../platform/peer.ts";
import { RefusedRequest } from "../../platform/refusal.ts";
import { urlOf } from "../../platform/request-url.ts";
import { htmlAnswer, insideOps, seeOther } from "../answer.ts";
import { DEVICE_COOKIE, SESSION_COOKIE } from "../cookie-names.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { cookieHeader, cookieName, isSecure, readCookies, safeAddress, YEAR_SECONDS } from "./cookies.ts";
import { isFromHere } from "./origin.ts";
import { createPasswordCheck, heldHash, storedHash } from "./password.ts";
import { endSession, findSession, LONGEST_SESSION_MS, openSession } from "./session.ts";
import { type Client, createLoginThrottle } from "./throttle.ts";

/** A form writes up to nine bytes for each character of the longest password. */
const MAX_BODY_BYTES = 16 * 1024;

/** What a login comes to. */
type Admission = { readonly kind: "admitted"; readonly key: string } | LoginFault;

/** `/ops/login`: the one page of the console that needs no session. */
export function loginPages(deps: OpsDeps) {
  const { db, log, now, config, clientAddress } = deps;
  const check = createPasswordCheck(db, config);
  const throttle = createLoginThrottle(deps.redis);

  const pageFor = (request: Request, peer: string | null) => (next: string, fault: LoginFault | null) => {
    const goTo = safeAddress(deps, request, peer);
    return htmlAnswer(
      (nonce) => loginPage({ nonce, css: deps.assets.ops.css, next, fault, goTo }),
      fault === null ? { status: 200 } : refusalOf(fault),
    );
  };

  /** Counts the attempt, looks at the password, and opens a session where it is right. */
  async function admit(client: Client, password: string, oldKey: string | undefined): Promise<Admission> {
    const { address } = client;
    const nowMs = now().getTime();
    const attempt = await throttle.attempt(client, nowMs);
    if (attempt.kind === "throttled") {
      log.warn({ address }, "a login was refused unread: too many attempts");
      return attempt;
    }
    try {
      const hash = await storedHash(db);
      const verdict = await check(password);
      if (verdict === "busy") return { kind: verdict };
      const key = verdict === "right" ? await replaceSession(deps, { oldKey, address, hash }) : null;
      if (key === null) {
        log.warn({ address }, "a login failed: wrong password");
        return { kind: "wrong" };
      }
      await throttle.succeeded(client, nowMs);
      return { kind: "admitted", key };
    } catch (error) {
      log.error({ error, todo: db.advice(error) }, "nobody can log in: the database cannot be used");
      return { kind: "away" };
    }
  }

  async function logIn(request: Request, peer: string | null, body: unknown): Promise<Response> {
    const page = pageFor(request, peer);
    const fields = formFields(body);
    const next = insideOps(fields.text("next"));
    if (!isFromHere(config, request)) return page(next, { kind: "foreign" });
    const secure = isSecure(deps, request, peer);
    const cookies = readCookies(request);
    const address = clientAddress.find(peer, request.headers.get("x-forwarded-for")) ?? "unknown";
    const device = knownDevice(deps, cookies.get(cookieName(DEVICE_COOKIE, secure)));
    const oldKey = cookies.get(cookieName(SESSION_COOKIE, secure));
    const admission = await admit({ address, device }, fields.raw("password"), oldKey);
    if (admission.kind !== "admitted") return page(next, admission);
    return seeOther(next, [
      cookieHeader({
        name: cookieName(SESSION_COOKIE, secure),
        value: admission.key,
        maxAgeSeconds: LONGEST_SESSION_MS / 1_000,
        secure,
      }),
      cookieHeader({
        name: cookieName(DEVICE_COOKIE, secure),
        value: deps.secrets.seal(device ?? newId(), "ops.device"),
        maxAgeSeconds: YEAR_SECONDS,
        secure,
      }),
    ]);
  }

  return new Elysia({ name: "ops.login" })
    .onParse(async ({ request }) => {
      const body = await readBody(request, MAX_BODY_BYTES);
      if (body.kind === "refused") throw new RefusedRequest(body.response);
      return new URLSearchParams(body.text);
    })
    .get("/ops/login", async ({ request, server }) => {
      const peer = peerOf(request, server);
      const key = readCookies(request).get(cookieName(SESSION_COOKIE, isSecure(deps, request, peer)));
      const next = insideOps(urlOf(request).searchParams.get("next"));
      // While the database is away the page still shows; whoever sends it is told.
      const session = await findSession(db, key, now()).catch(() => null);
      return session ? seeOther(next) : pageFor(request, peer)(next, null);
    })
    .post("/ops/login", ({ request, server, body }) => logIn(request, peerOf(request, server), body));
}

/** How a refused login is answered. */
function refusalOf(fault: LoginFault): { status: number; headers?: Readonly<Record<string, string>> } {
  switch (fault.kind) {
    case "foreign":
    case "wrong":
      return { status: 403 };
    case "throttled":
      return { status: 429, headers: { "retry-after": String(fault.retryAfterSeconds) } };
    case "busy":
    case "away":
      return { status: 503, headers: { "retry-after": "5" } };
  }
}

/**
 * The session that the browser had ends, and a new one begins: no key from before the login is worth anything. Null where
 * `hash`, that of the password when it was looked at, is not the one any more: the session would outlive the change.
 */
async function replaceSession(
  { db, now }: OpsDeps,
  {
    oldKey,
    address,
    hash,
  }: { readonly oldKey: string | undefined; readonly address: string; readonly hash: string | null },
): Promise<string | null> {
  return db.transaction(async (tx) => {
    if ((await heldHash(tx, db)) !== hash) return null;
    await endSession(tx, db.tables, oldKey);
    const at = now();
    await recordAudit(tx, db.tables, {
      at,
      actor: "console",
      action: "operator.login",
      subject: "operator",
      after: { address },
    });
    return openSession(tx, db.tables, at);
  });
}

/** A browser that was logged in here before, whatever became of its session. */
function knownDevice({ secrets }: OpsDeps, cookie: string | undefined): string | null {
  if (cookie === undefined || cookie.length > 200) return null;
  const opened = openSealed(secrets, cookie, "ops.device");
  return opened.kind === "opened" ? opened.text : null;
}
