import type { Redis } from "ioredis";
import { readConsent } from "../meta/consent.ts";
import { pageViewId } from "../meta/event-ids.ts";
import type { SessionFacts } from "../meta/session-facts.ts";
import { untilConnected } from "../platform/until-connected.ts";
import { type NewSession, reportedIp } from "./session.ts";

const DAY_SECONDS = 24 * 3_600;

/** A visit as its copy tells of it. */
export interface StoredVisit extends SessionFacts {
  /** Null in copies that were made before they were kept. */
  readonly poolId: number | null;
  readonly botId: number | null;
  /** The database whose numbers these are (see `findDatabaseId`); null in copies that do not say. */
  readonly database: string | null;
}

/**
 * A copy of the tracking data outside the database, for other tools that look a token up. Never the only place
 * of anything: the session row has it all.
 */
export interface TrackingStore {
  /** Whether there is anywhere to keep a copy: else nothing need be read for one. */
  readonly keepsCopies: boolean;
  /**
   * Adds what is known to what is stored; a missing value never replaces one. Nobody waits for it.
   *
   * @param database whose pool and bot the session names
   */
  save(sessionOf: () => NewSession, database: string | null): void;
  /** What is stored of a token; null where nothing is, or no answer came in time. */
  find(trackingToken: string): Promise<StoredVisit | null>;
  /** How many of these tokens have a copy; null where no answer came. */
  count(trackingTokens: readonly string[]): Promise<number | null>;
  /**
   * Removes the copies of these tokens; resolves to how many there were, null where no answer came. Whoever read a visit
   * before makes no copy of it afterwards.
   */
  forget(trackingTokens: readonly string[]): Promise<number | null>;
}

/** Where there is no Redis there is no copy. */
export const noTrackingStore: TrackingStore = {
  keepsCopies: false,
  save: () => undefined,
  find: async () => null,
  count: async () => 0,
  forget: async () => 0,
};

/** Longer than anybody who read a visit before it was erased takes to save its copy. */
const FORGOTTEN_FOR_SECONDS = 60;

/** Keeps the data as a hash under `ponte:tracking:<token>`, for `ttlDays` days after the visit. */
export function redisTrackingStore(redis: Redis, ttlDays: number): TrackingStore {
  // The first visits are there before it.
  const connected = untilConnected(redis);

  async function copy(session: NewSession, database: string | null): Promise<void> {
    const key = keyOf(session.trackingToken);
    const known = Object.entries({ ...trackingData(session), database }).filter(
      ([, value]) => value !== null,
    );
    const answers = await redis
      .pipeline()
      .hset(key, Object.fromEntries(known))
      // Whoever comes back to the page with an old token does not begin the days anew.
      .expireat(key, Math.ceil(session.pageviewTs.getTime() / 1000) + ttlDays * DAY_SECONDS)
      // Last: who forgets it says so first, so that one of the two takes the copy away.
      .exists(forgottenKeyOf(session.trackingToken))
      .exec();
    const [, isForgotten] = answers?.at(-1) ?? [];
    if (isForgotten === 1) await redis.del(key);
  }

  return {
    keepsCopies: true,
    save(sessionOf, database) {
      connected
        .then(() => copy(sessionOf(), database))
        // Redis being away is logged by the connection; the row in the database is complete.
        .catch(() => undefined);
    },
    async find(trackingToken) {
      try {
        const stored = await redis.hgetall(keyOf(trackingToken));
        return stored.tracking_token === undefined ? null : factsOf(trackingToken, stored);
      } catch {
        return null;
      }
    },
    count: (tokens) => counted(tokens, (keys) => redis.exists(...keys)),
    forget: (tokens) =>
      counted(tokens, async (keys) => {
        // First, so that whoever saves a copy from here on takes it away. A Redis that is full takes neither mark nor
        // copy, and what it has goes all the same.
        await Promise.allSettled(
          tokens.map((token) => redis.set(forgottenKeyOf(token), "", "EX", FORGOTTEN_FOR_SECONDS)),
        );
        return redis.del(...keys);
      }),
  };
}

/** Null where Redis does not answer, which the connection logs. */
async function counted(
  tokens: readonly string[],
  ask: (keys: string[]) => Promise<number>,
): Promise<number | null> {
  try {
    return tokens.length === 0 ? 0 : await ask(tokens.map(keyOf));
  } catch {
    return null;
  }
}

const keyOf = (trackingToken: string) => `ponte:tracking:${trackingToken}`;
const forgottenKeyOf = (trackingToken: string) => `ponte:forgotten:${trackingToken}`;

function factsOf(trackingToken: string, stored: Readonly<Record<string, string>>): StoredVisit {
  const text = (name: string) => stored[name] ?? null;
  const number = (name: string) => Number(stored[name]) || null;
  return {
    trackingToken,
    rootEventId: pageViewId(trackingToken),
    fbclid: text("fbclid"),
    fbc: text("fbc"),
    fbp: text("fbp"),
    clientIp: reportedIp(text("fbi"), text("client_ip")),
    userAgent: text("user_agent"),
    eventSourceUrl: text("event_source_url"),
    utm: Object.fromEntries(Object.entries(stored).filter(([name]) => name.startsWith("utm_"))),
    pageviewAt: new Date(Number(stored.pageview_ts ?? 0) * 1000),
    consent: readConsent(stored.consent),
    poolId: number("pool_id"),
    botId: number("bot_id"),
    database: text("database"),
  };
}

/** The session under the names by which other tools know it. */
function trackingData(session: NewSession): Readonly<Record<string, string | null>> {
  return {
    tracking_token: session.trackingToken,
    pageview_event_id: session.rootEventId,
    pool_id: String(session.poolId),
    bot_id: String(session.botId),
    pageview_ts: String(Math.floor(session.pageviewTs.getTime() / 1000)),
    click_ts: session.clickTs ? String(Math.floor(session.clickTs.getTime() / 1000)) : null,
    fbclid: session.fbclid,
    fbc: session.fbc,
    fbc_origin: session.fbcOrigin,
    fbp: session.fbp,
    fbi: session.fbi,
    utm_source: session.utmSource,
    utm_campaign: session.utmCampaign,
    utm_medium: session.utmMedium,
    utm_content: session.utmContent,
    utm_term: session.utmTerm,
    grim: session.grim,
    client_ip: session.clientIp,
    user_agent: session.userAgent,
    referrer: session.referrer,
    event_source_url: session.eventSourceUrl,
    first_page: session.eventSourceUrl,
    consent: session.consent,
    user_external_id: session.userExternalId,
  };
}
