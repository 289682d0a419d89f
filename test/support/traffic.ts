import type { Database, Tx } from "../../src/db/database.ts";
import type { Tables } from "../../src/db/define-schema.ts";
import type { FunnelState } from "../../src/db/vocabulary.ts";
import { outboxTable } from "../../src/outbox/enqueue.ts";
import { firstIdAt, newId } from "../../src/platform/ids.ts";
import type { NewRow } from "./outbox.ts";
import { seededRandom } from "./seeded-random.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Rows in one insert. */
const CHUNK = 400;

type New<K extends Exclude<keyof Tables, "outbox">> = Tables[K]["$inferInsert"];

/** Pools as an operator has them: the second one's token was withdrawn, so that its pixel is paused. */
const POOLS = [
  { slug: "curso-edicao", name: "Curso de Edição", pixel: "481250396617742", bots: [0, 1], currency: "BRL" },
  { slug: "vip-mensal", name: "VIP Mensal", pixel: "734002918856341", bots: [2], currency: "BRL" },
  { slug: "english-by-ear", name: "English by Ear", pixel: "902771345608125", bots: [3], currency: "USD" },
] as const;
const BOTS = ["edicao_aulas_bot", "edicao_turma2_bot", "vip_mensal_bot", "english_by_ear_bot"];
const CAMPAIGNS = [
  "BR | Frio | Vídeo 03",
  "BR | Remarketing 7d",
  "LAL 1% compradores",
  "PT | Criativos novos",
  null,
];
const PRICES_MINOR = [2_990, 4_990, 9_700, 19_700];

interface TrafficOptions {
  readonly endMs: number;
  readonly hours: number;
  readonly clicksPerHour: number;
}

/**
 * Traffic as it looks in real life, up to `endMs`: a day's rise and fall, a funnel that gets narrower, sales in two
 * currencies, a paused pixel with events that wait for it, a handful of dead ones. The same shape every time.
 */
export async function seedTraffic(db: Database, { endMs, hours, clicksPerHour }: TrafficOptions) {
  const startMs = endMs - hours * HOUR_MS;
  const { pools, bots } = await seedPools(db, new Date(startMs));
  const traffic: Traffic = {
    random: seededRandom(20_240_612),
    endMs,
    pausedAtMs: endMs - 3 * HOUR_MS,
    sessions: [],
    states: [],
    payments: [],
    outbox: [],
    attempts: new Map(),
  };
  for (let hour = 0; hour < hours; hour++) {
    const hourMs = startMs + hour * HOUR_MS;
    for (let clicks = clicksIn(hourMs, clicksPerHour); clicks > 0; clicks--) {
      const atMs = Math.floor(hourMs + traffic.random() * HOUR_MS);
      const pool = pick(traffic, pools);
      addVisitor(traffic, { atMs, pool, botId: bots[pick(traffic, pool.bots)] ?? 0 });
    }
  }
  await insertTraffic(db, traffic);
  await seedRunning(db, { startMs, pausedAtMs: traffic.pausedAtMs });
  return {
    clicks: traffic.sessions.length,
    sales: traffic.payments.length,
    poolIds: pools.map(({ id }) => id),
  };
}

/** What is to be written, and what each further visitor is made by. */
interface Traffic {
  readonly random: () => number;
  readonly endMs: number;
  /** When the second pool's pixel was paused. */
  readonly pausedAtMs: number;
  readonly sessions: New<"sessions">[];
  readonly states: New<"funnelStates">[];
  readonly payments: New<"payments">[];
  readonly outbox: NewRow[];
  /** By route and minute: a request carries what is sent in one. */
  readonly attempts: Map<string, New<"outboxAttempts">>;
}

type SeededPool = Awaited<ReturnType<typeof seedPools>>["pools"][number];

interface Visitor {
  readonly atMs: number;
  readonly pool: SeededPool;
  readonly botId: number;
}

/** By São Paulo's clock: most at three in the afternoon, fewest at three at night. */
function clicksIn(hourMs: number, clicksPerHour: number): number {
  const clock = (new Date(hourMs).getUTCHours() + 21) % 24;
  const clicks = clicksPerHour * (0.55 + 0.5 * Math.sin(((clock - 9) / 24) * 2 * Math.PI));
  return Math.max(3, Math.round(clicks));
}

/** One of them, the first ones more often. */
function pick<T>({ random }: Traffic, from: readonly T[]): T {
  const one = from[Math.floor(random() ** 1.6 * from.length)];
  if (one === undefined) throw new Error("there is nothing to pick from");
  return one;
}

/** A click, and as much of the way to a delivery, or to the money's return, as this one goes. */
function addVisitor(traffic: Traffic, { atMs, pool, botId }: Visitor): void {
  const { random, endMs } = traffic;
  const trackingToken = firstIdAt(atMs).slice(0, 12) + newId().slice(12);
  const of = { poolId: pool.id, trackingToken };
  addClick(traffic, { ...of, botId, at: new Date(atMs), route: pool.pixel });
  const step = (state: FunnelState, seconds: number, paymentId: string | null = null) => {
    const createdAt = new Date(atMs + seconds * 1_000);
    if (createdAt.getTime() > endMs) return;
    traffic.states.push({ ...of, botId, state, paymentId, createdAt, dedupKey: `${state}:${newId()}` });
  };
  if (random() > 0.46) return;
  step("started", 6);
  if (random() > 0.3) return;
  step("checkout_started", 70);
  if (random() > 0.55 || atMs + 150_000 > endMs) return;
  const paymentId = newId();
  const paidAt = new Date(atMs + 140_000);
  traffic.payments.push({
    ...of,
    id: paymentId,
    botId,
    provider: "pushinpay",
    providerRef: `ref-${paymentId}`,
    status: "paid",
    amountMinor: pick(traffic, PRICES_MINOR),
    currency: pool.currency,
    paidAt,
    metaPurchaseSent: true,
    metaPurchaseSentAt: paidAt,
    createdAt: new Date(atMs + 70_000),
    updatedAt: paidAt,
  });
  step("paid", 140, paymentId);
  const sale = { ...of, paymentId, createdAt: paidAt };
  send(traffic, {
    ...sale,
    destination: "meta",
    route: pool.pixel,
    eventName: "Purchase",
    eventId: `purchase_${paymentId}`,
  });
  send(traffic, {
    ...sale,
    destination: "telegram",
    route: String(botId),
    eventName: "delivery",
    eventId: `delivery_${paymentId}`,
  });
  if (random() < 0.99) step("delivered", 143, paymentId);
  if (random() < 0.02) step("refunded", 3_000, paymentId);
}

interface Click {
  readonly trackingToken: string;
  readonly poolId: number;
  readonly botId: number;
  readonly at: Date;
  readonly route: string;
}

function addClick(traffic: Traffic, { trackingToken, poolId, botId, at, route }: Click): void {
  const rootEventId = `evt_${trackingToken}`;
  traffic.sessions.push({
    trackingToken,
    poolId,
    botId,
    rootEventId,
    pageviewSent: true,
    pageviewSentAt: at,
    pageviewTs: at,
    clickTs: at,
    fbclid: `IwAR0${trackingToken.slice(20)}`,
    utmSource: "facebook",
    utmCampaign: pick(traffic, CAMPAIGNS),
    clientIp: "203.0.113.20",
    userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15",
    createdAt: at,
    updatedAt: at,
  });
  send(traffic, {
    trackingToken,
    poolId,
    destination: "meta",
    route,
    eventName: "PageView",
    eventId: rootEventId,
    createdAt: at,
  });
}

/** An event, and the request of its minute that carried it. */
function send(traffic: Traffic, row: Omit<NewRow, "payload" | "availableAt" | "status">): void {
  const { random, endMs, pausedAtMs, attempts } = traffic;
  const atMs = row.createdAt.getTime();
  const isPaused = row.route === POOLS[1].pixel && atMs > pausedAtMs;
  const isWaiting = isPaused || atMs > endMs - 8_000;
  const isDead = !isWaiting && row.destination === "meta" && random() < 0.004;
  traffic.outbox.push({
    ...row,
    payload: { event_name: row.eventName, event_id: row.eventId },
    status: isWaiting ? "pending" : isDead ? "dead" : "delivered",
    attempts: isWaiting ? 0 : 1,
    lastError: isDead ? "Invalid parameter: user_data.fbc was created in the future (2804017)" : null,
    availableAt: row.createdAt,
    deliveredAt: isWaiting || isDead ? null : new Date(atMs + 1_500),
  });
  if (isWaiting) return;
  const key = `${row.destination} ${row.route} ${atMs - (atMs % MINUTE_MS)}`;
  const had = attempts.get(key);
  const fails = had ? had.outcome !== "delivered" : random() < 0.01;
  attempts.set(key, {
    destination: row.destination,
    route: row.route,
    outboxIds: [],
    events: (had?.events ?? 0) + 1,
    outcome: fails ? "transient" : "delivered",
    status: fails ? 503 : 200,
    durationMs: had?.durationMs ?? Math.round(60 + random() * 240),
    response: fails ? "Service temporarily unavailable" : '{"events_received":1}',
    startedAt: new Date(atMs),
  });
}

/** Each table's rows in the order of their time, as they would have been written. */
async function insertTraffic(db: Database, traffic: Traffic): Promise<void> {
  const { tables } = db;
  const byTime = <T extends { readonly createdAt: Date }>(rows: readonly T[]) =>
    [...rows].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  const requests = [...traffic.attempts.values()].sort(
    (a, b) => a.startedAt.getTime() - b.startedAt.getTime(),
  );
  await inChunks(db, byTime(traffic.sessions), (tx, chunk) => tx.insert(tables.sessions).values(chunk));
  await inChunks(db, byTime(traffic.payments), (tx, chunk) => tx.insert(tables.payments).values(chunk));
  await inChunks(db, byTime(traffic.states), (tx, chunk) => tx.insert(tables.funnelStates).values(chunk));
  await inChunks(db, byTime(traffic.outbox), (tx, chunk) => tx.insertSplit(outboxTable(tables), chunk));
  await inChunks(db, requests, (tx, chunk) => tx.insert(tables.outboxAttempts).values(chunk));
}

/** The dispatcher that sends all this, and the pixel that it had to pause. */
async function seedRunning(
  { tables, ...db }: Database,
  { startMs, pausedAtMs }: { readonly startMs: number; readonly pausedAtMs: number },
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.insert(tables.outboxRoutes).values({
      destination: "meta",
      route: POOLS[1].pixel,
      pausedAt: new Date(pausedAtMs),
      pausedReason: "Error validating access token: the session has been invalidated (190/460)",
      updatedAt: new Date(pausedAtMs),
    });
    await tx.insert(tables.dispatchers).values({
      id: newId(),
      host: "ponte-1",
      pid: 1,
      startedAt: new Date(startMs),
      heartbeatAt: new Date(),
    });
  });
}

async function seedPools(db: Database, at: Date) {
  const { tables } = db;
  const times = { createdAt: at, updatedAt: at };
  return db.transaction(async (tx) => {
    const bots: number[] = [];
    for (const username of BOTS) {
      const [bot] = await tx
        .insert(tables.bots)
        .values({ username, ...times })
        .returning({ id: tables.bots.id });
      bots.push(bot?.id ?? 0);
    }
    const pools = [];
    for (const { slug, name, pixel, currency, bots: members } of POOLS) {
      const [pool] = await tx
        .insert(tables.pools)
        .values({ slug, name, metaPixelId: pixel, captureParams: [], ...times })
        .returning({ id: tables.pools.id });
      const id = pool?.id ?? 0;
      for (const member of members) {
        await tx.insert(tables.poolBots).values({ poolId: id, botId: bots[member] ?? 0 });
      }
      pools.push({ id, pixel, currency, bots: members });
    }
    await tx.notify("pools");
    return { pools, bots };
  });
}

/** So many rows in a transaction that a statement's parameters suffice. */
async function inChunks<T>(
  db: Database,
  rows: readonly T[],
  insert: (tx: Tx, chunk: T[]) => Promise<unknown>,
): Promise<void> {
  for (let i = 0; i < rows.length; i += CHUNK) {
    await db.transaction(async (tx) => void (await insert(tx, rows.slice(i, i + CHUNK))));
  }
}
