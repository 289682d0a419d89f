import type { HoldState } from "../db/vocabulary.ts";
import type { RefusalCount } from "../gate/read-refusals.ts";
import type { FunnelFacts, FunnelLine, Steps } from "../overview/funnel.ts";
import type { OverviewFacts } from "../overview/read-facts.ts";
import type { RouteName } from "../overview/route-names.ts";
import type { TimeRange } from "../overview/time-range.ts";

/** What the funnel is told by. */
export const FUNNEL_BY = ["pool", "bot", "campaign", "hour"] as const;
type FunnelBy = (typeof FUNNEL_BY)[number];

/** Shares from 0 to 1, to four digits; null where there is nothing to have a share of. */
type Rates = Readonly<Record<"starts" | "checkouts" | "paid" | "delivered", number | null>>;

interface FunnelLineAnswer extends Steps {
  readonly key: string;
  readonly name: string;
  readonly of_clicks: Rates;
  readonly of_step_before: Rates;
  readonly values: readonly { readonly currency: string; readonly value_minor: number }[];
}

/** What is told of a route, with its name. */
type OfRoute<T> = RouteName & T;

/** The console's overview, ready for JSON. */
export interface OverviewAnswer {
  readonly from: string;
  readonly to: string;
  readonly counted_at: string | null;
  readonly sent: { readonly meta: number; readonly telegram: number; readonly failed_requests: number };
  readonly now: {
    readonly waiting: number;
    readonly is_more_waiting: boolean;
    readonly oldest_waiting: OfRoute<{ readonly age_seconds: number }> | null;
    readonly sending: number;
    readonly dead: number;
    readonly is_more_dead: boolean;
    readonly expired: number;
    readonly paused_routes: readonly OfRoute<{
      readonly paused_at: string;
      readonly reason: string;
      readonly waiting: number;
    }>[];
    readonly slow_routes: readonly OfRoute<{ readonly state: Exclude<HoldState, "paused"> }>[];
    readonly unhealthy_bots: readonly { readonly username: string; readonly reason: string }[];
    readonly dispatchers_alive: number;
    readonly unreported_sales: {
      readonly count: number;
      readonly is_more: boolean;
      readonly newest: readonly {
        readonly payment_id: string;
        readonly provider: string;
        readonly provider_ref: string;
        readonly amount_minor: number;
        readonly currency: string;
        readonly paid_at: string;
      }[];
    };
  };
  readonly deliveries: {
    readonly unit: "minute" | "hour";
    readonly points: readonly {
      readonly at: string;
      readonly meta: number;
      readonly telegram: number;
      readonly failed_requests: number;
    }[];
    readonly routes: readonly OfRoute<{
      readonly requests: number;
      readonly failed_requests: number;
      readonly delivered: number;
      readonly mean_ms: number;
    }>[];
  };
  readonly funnel: {
    readonly from: string;
    readonly by: FunnelBy;
    readonly total: FunnelLineAnswer;
    readonly lines: readonly FunnelLineAnswer[];
  };
  readonly gate_refusals: readonly RefusalCount[];
}

/** The facts as the API tells them. Pure. */
export function overviewAnswer(facts: OverviewFacts, range: TimeRange, by: FunnelBy): OverviewAnswer {
  const { deliveries, funnel } = facts;
  const sum = (key: "meta" | "telegram" | "failures") =>
    deliveries.points.reduce((total, point) => total + point[key], 0);
  return {
    from: isoText(range.fromMs),
    to: isoText(range.toMs),
    counted_at: facts.countedAt?.toISOString() ?? null,
    sent: { meta: sum("meta"), telegram: sum("telegram"), failed_requests: sum("failures") },
    now: nowAnswer(facts),
    deliveries: deliveriesAnswer(facts, range),
    funnel: {
      from: isoText(funnel.fromMs),
      by,
      total: lineAnswer(funnel.total),
      lines: funnelLines(funnel, by),
    },
    gate_refusals: facts.refused,
  };
}

function nowAnswer({ trouble, unreported }: OverviewFacts): OverviewAnswer["now"] {
  return {
    waiting: trouble.waiting,
    is_more_waiting: trouble.isMoreWaiting,
    oldest_waiting: trouble.oldest && {
      ...trouble.oldest.route,
      age_seconds: Math.round(trouble.oldest.seconds),
    },
    sending: trouble.sending,
    dead: trouble.dead,
    is_more_dead: trouble.isMoreDead,
    expired: trouble.expired,
    paused_routes: trouble.paused.map(({ pausedAt, ...route }) => ({
      ...route,
      paused_at: pausedAt.toISOString(),
    })),
    slow_routes: trouble.held.map(({ route, state }) => ({ ...route, state })),
    unhealthy_bots: trouble.sickBots,
    dispatchers_alive: trouble.dispatchersAlive,
    unreported_sales: {
      count: unreported.count,
      is_more: unreported.isMore,
      newest: unreported.newest.map((sale) => ({
        payment_id: sale.paymentId,
        provider: sale.provider,
        provider_ref: sale.providerRef,
        amount_minor: sale.amountMinor,
        currency: sale.currency,
        paid_at: sale.paidAt.toISOString(),
      })),
    },
  };
}

function deliveriesAnswer(
  { deliveries, names }: OverviewFacts,
  { unit }: TimeRange,
): OverviewAnswer["deliveries"] {
  return {
    unit,
    points: deliveries.points.map(({ atMs, meta, telegram, failures }) => ({
      at: isoText(atMs),
      meta,
      telegram,
      failed_requests: failures,
    })),
    routes: deliveries.routes.map(({ destination, route, requests, failures, delivered, meanMs }) => ({
      ...names(destination, route),
      requests,
      failed_requests: failures,
      delivered,
      mean_ms: meanMs,
    })),
  };
}

function funnelLines(funnel: FunnelFacts, by: FunnelBy): FunnelLineAnswer[] {
  switch (by) {
    case "pool":
      return funnel.byPool.map(lineAnswer);
    case "bot":
      return funnel.byBot.map(lineAnswer);
    case "campaign":
      return funnel.byCampaign.map(lineAnswer);
    case "hour":
      return funnel.byHour.map(({ atMs, valuesMinor, ...steps }) => {
        const values = Object.entries(valuesMinor).map(([currency, valueMinor]) => ({
          currency,
          valueMinor,
        }));
        return lineAnswer({ ...steps, key: isoText(atMs), name: isoText(atMs), values });
      });
  }
}

function lineAnswer(line: Omit<FunnelLine, "isThere">): FunnelLineAnswer {
  const { key, name, clicks, starts, checkouts, paid, delivered, refunded, values } = line;
  return {
    key,
    name,
    clicks,
    starts,
    checkouts,
    paid,
    delivered,
    refunded,
    of_clicks: {
      starts: share(starts, clicks),
      checkouts: share(checkouts, clicks),
      paid: share(paid, clicks),
      delivered: share(delivered, clicks),
    },
    of_step_before: {
      starts: share(starts, clicks),
      checkouts: share(checkouts, starts),
      paid: share(paid, checkouts),
      delivered: share(delivered, paid),
    },
    values: values.map(({ currency, valueMinor }) => ({ currency, value_minor: valueMinor })),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((10_000 * part) / whole) / 10_000;
}

function isoText(atMs: number): string {
  return new Date(atMs).toISOString();
}
