import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { firstIdAt } from "../platform/ids.ts";
import { HOUR_MS } from "./bucket.ts";
import { type Counts, createTally, type FunnelCount } from "./funnel-count.ts";
import type { Pace } from "./pace.ts";

/** Rows read in one go. */
const PAGE = 5_000;
/** Pieces that an hour is read in at most; a busy one is read in more. */
const MOST_SLICES = 60;

/** What the two databases' drivers give for a number in a hand-written statement. */
type Num = number | string;

/** To whom a group of rows belongs. */
interface Group {
  readonly pool: Num | null;
  readonly bot: Num | null;
  readonly campaign: string | null;
}

type Add = (group: Group, currency: string, change: Partial<Counts>) => void;

/** Everything that happened in the hour that begins at `hourMs`, counted from the rows themselves. */
export async function countFunnelHour(db: Database, hourMs: number, pace: Pace): Promise<FunnelCount[]> {
  const tally = createTally();
  const add: Add = ({ pool, bot, campaign }, currency, change) => {
    tally.add({ dimension: "pool", key: String(pool ?? ""), currency }, change);
    tally.add({ dimension: "bot", key: String(bot ?? ""), currency }, change);
    tally.add({ dimension: "campaign", key: campaign ?? "", currency }, change);
  };
  const clicks = await countClicks(db, hourMs, pace, add);
  await countStates(db, hourMs, Math.min(MOST_SLICES, Math.ceil((clicks + 1) / PAGE)), pace, add);
  return tally.all();
}

/** Tokens begin with their time, so the unique index finds an hour's visits; none is needed on `created_at`. */
async function countClicks(
  { tables, ...db }: Database,
  hourMs: number,
  pace: Pace,
  add: Add,
): Promise<number> {
  const end = firstIdAt(hourMs + HOUR_MS);
  let total = 0;
  for (let last = firstIdAt(hourMs), rows = PAGE; rows === PAGE; total += rows) {
    const groups = await pace(() =>
      db.rows<Group & { readonly clicks: Num; readonly last: string }>(sql`
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
      add(group, "", { clicks });
    }
  }
  return total;
}

interface StateGroup extends Group {
  readonly state: "started" | "checkout_started" | "paid" | "delivered" | "refunded";
  readonly currency: string | null;
  readonly people: Num;
  readonly minor: Num | null;
}

/** The steps after the click, under the campaign of the visit that they belong to; slice by slice of the hour. */
async function countStates(
  { tables, dialect, ...db }: Database,
  hourMs: number,
  slices: number,
  pace: Pace,
  add: Add,
): Promise<void> {
  for (let i = 0; i < slices; i++) {
    const from = dialect.instant(new Date(hourMs + Math.floor((i * HOUR_MS) / slices)));
    const to = dialect.instant(new Date(hourMs + Math.floor(((i + 1) * HOUR_MS) / slices)));
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
    for (const group of groups) add(group, group.currency ?? "", changeOf(group));
  }
}

function changeOf({ state, people, minor }: StateGroup): Partial<Counts> {
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
