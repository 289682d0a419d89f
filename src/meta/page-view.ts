import { externalIdDigest } from "./digest.ts";
import type { MetaEvent } from "./event.ts";
import { type SessionFacts, userAgentOf, utmData } from "./session-facts.ts";
import { userData } from "./user-data.ts";

/** A click id up to this long is hashed as it is; a longer one through its MD5. Characters. */
const LONGEST_PLAIN_CLICK_ID = 80;

/**
 * The visitor's `external_id`, ready hashed: of the fbclid (its MD5 hex where longer than 80 characters), of the
 * tracking token where the visit has no fbclid.
 */
export function externalIdOf(session: Pick<SessionFacts, "fbclid" | "trackingToken">): string | null {
  const { fbclid, trackingToken } = session;
  if (!fbclid) return externalIdDigest(trackingToken);
  return externalIdDigest(
    fbclid.length > LONGEST_PLAIN_CLICK_ID ? Bun.CryptoHasher.hash("md5", fbclid, "hex") : fbclid,
  );
}

/**
 * The server's PageView of a visit. It carries the `root_event_id` that the bridge gives the browser's pixel, so that
 * Meta counts the two once. Built again, with the browser's cookies, when the beacon arrives.
 */
export function pageViewEvent(
  session: SessionFacts,
  pool: { readonly name: string; readonly slug: string },
): MetaEvent {
  return {
    event_name: "PageView",
    event_time: Math.floor(session.pageviewAt.getTime() / 1000),
    event_id: session.rootEventId,
    action_source: "website",
    ...(session.eventSourceUrl ? { event_source_url: session.eventSourceUrl } : null),
    user_data: userData({
      externalId: externalIdOf(session),
      fbp: session.fbp,
      fbc: session.fbc,
      clientIp: session.clientIp,
      clientUserAgent: userAgentOf(session),
    }),
    custom_data: {
      ...utmData(session.utm),
      ...(pool.slug ? { pool: pool.slug } : null),
      ...(pool.name ? { pool_name: pool.name } : null),
    },
  };
}
