import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { firstTokenAt, HOUR_MS } from "./bucket.ts";
import { addCounts, type FunnelCount, type FunnelKey, NO_COUNTS } from "./funnel-count.ts";
import type { Pace } from "./pace.ts";

/** Rows read in one go. */
const PAGE = 10_000;

/** Everything that happened in the hour that begins at `hourMs`, counted from the rows themselves. */
export async function countFunnelHour(db: Database, hourMs: number, pace: Pace): Promise<FunnelCount[]> {
  const counts = new Map<string, FunnelCount>();
  const add = (key: FunnelKey, change: Partial<FunnelCount>) => {
    const name = JSON.stringify([key.poolId, key.botId, key.campaign, key.currency]);
    counts.set(name, addCounts(counts.get(name) ?? { ...NO_COUNTS, ...key }, change));
  };
  await countClicks(db, hourMs, pace, add);
  await countStates(db, hourMs, pace, add);
  return [...counts.values()];
}

type Add = (key: FunnelKey, change: Partial<FunnelCount>) => void;

/** Tokens begin with their time, so the unique index finds an hour's visits; none is needed on `created_at`. */
async function countClicks({ tables, ...db }: Database, hourMs: number, pace: Pace, add: Add): Promise<void> {
  const end = firstTokenAt(hourMs + HOUR_MS);
  for (let last = firstTokenAt(hourMs), rows = PAGE; rows === PAGE; ) {
    const groups = await pace(() =>
      db.rows<{ pool: Num; bot: Num; campaign: string | null; clicks: Num; last: string }>(sql`
        select pool_id as pool, bot_id as bot, utm_campaign as campaign, count(*) as clicks, max(tracking_token) as last
        from (
          select pool_id, bot_id, utm_campaign, tracking_token from ${tables.sessions}
          where tracking_token > ${last} and tracking_token < ${end} order by tracking_token limit ${PAGE}
        ) page
        group by pool_id, bot_id, utm_campaign`),
    );
    rows = 0;
    for (const group of groups) {
      const clicks = Number(group.clicks);
      rows += clicks;
      if (group.last > last) last = group.last;
      const [poolId, botId] = [Number(group.pool), Number(group.bot)];
      add({ poolId, botId, campaign: group.campaign ?? "", currency: "" }, { clicks });
    }
  }
}

/** What the two databases' drivers give for a number in a hand-written statement. */
type Num = number | string;

interface StateGroup {
  readonly state: "started" | "checkout_started" | "paid" | "delivered" | "refunded";
  readonly pool: Num | null;
  readonly bot: Num | null;
  readonly campaign: string | null;
  readonly currency: string | null;
  readonly people: Num;
  readonly minor: Num | null;
}

/** The steps after the click, under the campaign of the visit that they belong to; minute by minute. */
async function countStates(
  { tables, dialect, ...db }: Database,
  hourMs: number,
  pace: Pace,
  add: Add,
): Promise<void> {
  const SLICES = 6;
  for (let i = 0; i < SLICES; i++) {
    const from = dialect.instant(new Date(hourMs + (i * HOUR_MS) / SLICES));
    const to = dialect.instant(new Date(hourMs + ((i + 1) * HOUR_MS) / SLICES));
    const groups = await pace(() =>
      db.rows<StateGroup>(sql`
        select f.state, f.pool_id as pool, f.bot_id as bot, s.utm_campaign as campaign, p.currency,
          count(*) as people, sum(p.amount_minor) as minor
        from ${tables.funnelStates} f
        left join ${tables.sessions} s on s.tracking_token = f.tracking_token
        left join ${tables.payments} p on p.id = f.payment_id and f.state in ('paid', 'refunded')
        where f.created_at >= ${from} and f.created_at < ${to}
          and f.state in ('started', 'checkout_started', 'paid', 'delivered', 'refunded')
        group by f.state, f.pool_id, f.bot_id, s.utm_campaign, p.currency`),
    );
    for (const group of groups) {
      const key = {
        poolId: Number(group.pool ?? 0),
        botId: Number(group.bot ?? 0),
        campaign: group.campaign ?? "",
        currency: group.currency ?? "",
      };
      add(key, changeOf(group));
    }
  }
}

function changeOf({ state, people, minor }: StateGroup): Partial<FunnelCount> {
  const n = Number(people);
  switch (state) {
    case "started":
      return { starts: n };
    case "checkout_started":
      return { checkouts: n };
    case "paid":
      return { paid: n, valueMinor: Number(minor ?? 0) };
    case "delivered":
      return { delivered: n };
    case "refunded":
      return { refunded: n, refundedMinor: Number(minor ?? 0) };
  }
}
