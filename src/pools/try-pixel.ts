import { recordAudit } from "../audit/audit-log.ts";
import { checkPixel, type PixelCheck } from "../meta/check-pixel.ts";
import type { MetaEvent } from "../meta/event.ts";
import { type GraphAnswer, PARTNER_AGENT, sendEvents } from "../meta/graph-client.ts";
import { type Outcome, outcomeOf } from "../meta/outcome.ts";
import { pageViewEvent } from "../meta/page-view.ts";
import { keptText } from "../outbox/storable.ts";
import { newId } from "../platform/ids.ts";
import { openSealed, type Sealed } from "../platform/open-sealed.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { ManageDeps } from "./manage-pools.ts";
import type { PoolRow } from "./pool-view.ts";

/** Somebody waits for the answer. */
const TIMEOUT_MS = 10_000;

/** What trying a pixel works with. */
interface PixelDeps extends ManageDeps {
  readonly meta: { readonly graphUrl: string; readonly graphVersion: string };
}

/** A test event that is asked for: its code, and whoever it is about, as if they had opened `url`. */
interface TestDraft {
  readonly code: string;
  readonly url: string;
  readonly userAgent: string | null;
  readonly clientIp: string | null;
}

/** A pool's pixel with its token opened, or why there is nothing to send with. */
type PixelCredential =
  | { readonly kind: "ready"; readonly pixelId: string; readonly accessToken: string }
  | { readonly kind: "no_pixel" }
  | { readonly kind: "no_token" }
  | Sealed;

type NoCredential = Exclude<PixelCredential, { kind: "ready" }>;

export type PoolPixelCheck = PixelCheck | NoCredential;

export type TestEvent =
  | {
      readonly kind: "sent";
      readonly event: MetaEvent;
      /** Meta's answer as it came, without the token, its body cut to what is kept. */
      readonly answer: GraphAnswer;
      readonly outcome: Outcome;
    }
  | NoCredential;

/** What a pool sends to Meta with. */
export function pixelCredential(
  secrets: Secrets,
  { metaPixelId, metaAccessToken }: Pick<PoolRow, "metaPixelId" | "metaAccessToken">,
): PixelCredential {
  if (metaPixelId === null) return { kind: "no_pixel" };
  if (metaAccessToken === null) return { kind: "no_token" };
  const token = openSealed(secrets, metaAccessToken, "pools.meta_access_token");
  return token.kind === "opened" ? { kind: "ready", pixelId: metaPixelId, accessToken: token.text } : token;
}

/** Asks Meta about the pool's pixel with the pool's own token, without sending an event. */
export async function checkPoolPixel(
  { secrets, meta }: Pick<PixelDeps, "secrets" | "meta">,
  pool: Pick<PoolRow, "metaPixelId" | "metaAccessToken">,
): Promise<PoolPixelCheck> {
  const credential = pixelCredential(secrets, pool);
  if (credential.kind !== "ready") return credential;
  const { pixelId, accessToken } = credential;
  const { graphUrl, graphVersion: version } = meta;
  return checkPixel({ graphUrl, version, pixelId, accessToken, timeoutMs: TIMEOUT_MS });
}

/**
 * Sends one PageView at once, past the outbox, as if a visitor had opened the pool's link. Events Manager shows it in its
 * test view and Meta counts it all the same, for no ad. Written down in the audit log, whatever Meta said.
 */
export async function sendTestEvent(
  { db, secrets, now, meta }: PixelDeps,
  actor: string,
  pool: PoolRow,
  { code: testEventCode, ...visitor }: TestDraft,
): Promise<TestEvent> {
  const credential = pixelCredential(secrets, pool);
  if (credential.kind !== "ready") return credential;
  const event = testPageView(pool, now(), visitor);
  const answer = await sendEvents({
    graphUrl: meta.graphUrl,
    version: meta.graphVersion,
    pixelId: credential.pixelId,
    accessToken: credential.accessToken,
    testEventCode,
    events: [JSON.stringify(event)],
    timeoutMs: TIMEOUT_MS,
    partnerAgent: PARTNER_AGENT,
  });
  const outcome = outcomeOf(answer, 1);
  await db.transaction((tx) =>
    recordAudit(tx, db.tables, {
      at: now(),
      actor,
      action: "pool.test_event",
      subject: `pool:${pool.slug}`,
      after: { test_event_code: testEventCode, event_id: event.event_id, outcome: outcome.kind },
    }),
  );
  const shown = answer.kind === "answered" ? { ...answer, body: keptText(answer.body) } : answer;
  return { kind: "sent", event, answer: shown, outcome };
}

function testPageView(
  pool: PoolRow,
  pageviewAt: Date,
  { url, ...client }: Omit<TestDraft, "code">,
): MetaEvent {
  const trackingToken = newId();
  const noClick = { fbclid: null, fbc: null, fbp: null, utm: {}, consent: null };
  const visit = { trackingToken, rootEventId: `test_${trackingToken}`, eventSourceUrl: url, pageviewAt };
  return pageViewEvent({ ...noClick, ...visit, ...client }, pool);
}
