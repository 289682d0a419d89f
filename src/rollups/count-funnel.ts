import { type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber } from "../db/database.ts";
import { firstIdAt } from "../platform/ids.ts";
import { type Counts, createTally, type FunnelCount } from "./funnel-tally.ts";
import type { Throttle } from "./throttle.ts";

/** Rows read in one go. */
const PAGE = 1_000;
/** Pieces that a time's steps are read in at most. */
const MOST_SLICES = 300;
/** Of a campaign's name: anybody writes one, and longer ones do not fit into the index of `funnel_hourly`. */
const CAMPAIGN_CHARACTERS = 200;

/** To whom a group of rows belongs. */
interface Group {
  readonly pool: RawNumber | null;
  readonly bot: RawNumber | null;
  readonly campaign: string | null;
}

/** Both databases count whole characters here. */
const campaignOf = (column: SQL) => sql`substr(${column}, 1, ${sql.raw(String(CAMPAIGN_CHARACTERS))})`;

/** A time from its first instant to that after its last. Unix milliseconds. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How rows are read, and where what they come to is added. */
interface Counting {
  readonly db: Database;
  readonly throttle: Throttle;
  add(group: Group, currency: string, change: Partial<Counts>): void;
}

/** Everything that happened in that time, counted from the rows themselves. */
export async function countFunnel(db: Database, span: Span, throttle: Throttle): Promise<FunnelCount[]> {
  const tally = createTally();
  const add: Counting["add"] = ({ pool, bot, campaign }, currency, change) => {
    tally.add({ dimension: "pool", key: String(pool ?? ""), currency }, change);
    tally.add({ dimension: "bot", key: String(bot ?? ""), currency }, change);
    tally.add({ dimension: "campaign", key: campaign ?? "", currency }, change);
  };
  const counting = { db, throttle, add };
  const clicks = await countClicks(counting, span);
  await countStates(counting, span, Math.min(MOST_SLICES, Math.ceil((clicks + 1) / PAGE)));
  return tally.all();
}

/** Tokens begin with their time, so the unique index finds a time's visits; none is needed on `created_at`. */
async function countClicks({ db, throttle, add }: Counting, { fromMs, toMs }: Span): Promise<number> {
  const { tables } = db;
  const end = firstIdAt(toMs);
  let total = 0;
  for (let last = firstIdAt(fromMs), rows = PAGE; rows === PAGE; total += rows) {
    const groups = await throttle(() =>
      db.rows<Group & { readonly clicks: RawNumber; readonly last: string }>(sql`
        select pool_id as pool, bot_id as bot, campaign, count(*) as clicks, max(tracking_token) as last
        from (
          select pool_id, bot_id, ${campaignOf(sql`utm_campaign`)} as campaign, tracking_token from ${tables.sessions}
          where tracking_token > ${last} and tracking_token < ${end} order by tracking_token limit ${PAGE}
        ) page
        group by pool_id, bot_id, campaign`),
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
  readonly people: RawNumber;
  readonly minor: RawNumber | null;
}

/** The steps after the click, under the campaign of the visit that they belong to; slice by slice. */
async function countStates(
  { db, throttle, add }: Counting,
  { fromMs, toMs }: Span,
  slices: number,
): Promise<void> {
  const { tables, dialect } = db;
  // Looked up one by one: a join with statistics of an emptier table reads all that is there for each step.
  const ofPayment = (column: SQL) =>
    sql`case when f.state in ('paid', 'refunded') then (select ${column} from ${tables.payments} p where p.id = f.payment_id) end`;
  const campaign = sql`(
    select ${campaignOf(sql`s.utm_campaign`)} from ${tables.sessions} s where s.tracking_token = f.tracking_token
  )`;
  for (let i = 0; i < slices; i++) {
    const begin = (slice: number) => new Date(fromMs + Math.floor((slice * (toMs - fromMs)) / slices));
    const [from, to] = [dialect.instant(begin(i)), dialect.instant(begin(i + 1))];
    const groups = await throttle(() =>
      db.rows<StateGroup>(sql`
        select state, pool, bot, campaign, currency, count(*) as people, sum(minor) as minor
        from (
          select f.state, f.pool_id as pool, f.bot_id as bot, ${campaign} as campaign,
            ${ofPayment(sql`p.currency`)} as currency, ${ofPayment(sql`p.amount_minor`)} as minor
          from ${tables.funnelStates} f
          where f.created_at >= ${from} and f.created_at < ${to}
            and f.state in ('started', 'checkout_started', 'paid', 'delivered', 'refunded')
        ) steps
        group by state, pool, bot, campaign, currency`),
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
