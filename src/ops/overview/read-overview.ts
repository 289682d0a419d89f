import type { Overview, RouteTime } from "../../../views/ops/overview-data.ts";
import { formatMoney } from "../../money/format.ts";
import { parseRoute } from "../../outbox/routes.ts";
import type { RouteHour } from "../../overview/deliveries.ts";
import type { FunnelLine, Value } from "../../overview/funnel.ts";
import type { OverviewFacts } from "../../overview/read-facts.ts";
import type { RouteNames } from "../../overview/route-names.ts";
import { wallText } from "../zone.ts";
import { coarsen, smooth } from "./coarsen.ts";
import { SPANS, type Span } from "./span.ts";

/** The facts as one operator sees them. Pure. */
export function overviewOf(
  facts: OverviewFacts,
  span: Span,
  { zone, csrfToken, nowMs }: { readonly zone: string; readonly csrfToken: string; readonly nowMs: number },
): Overview {
  const { name, query, isLive, unit, fault, fromMs, toMs } = span;
  return {
    zone,
    csrfToken,
    trouble: {
      ...facts.trouble,
      paused: facts.trouble.paused.map((it) => ({ ...it, account: parseRoute(it.route).account })),
    },
    unreported: unreportedOf(facts),
    span: {
      ...{ name, query, isLive, unit, fault },
      choices: SPANS,
      from: wallText(fromMs, zone),
      to: wallText(toMs, zone),
    },
    deliveries: deliveriesOf(facts, zone),
    funnel: funnelOf(facts, zone),
    refused: facts.refused,
    countedAgoMs: facts.countedAt === null ? null : Math.max(0, nowMs - facts.countedAt.getTime()),
  };
}

function unreportedOf({ unreported }: OverviewFacts): Overview["unreported"] {
  const newest = unreported.newest.map(({ amountMinor, currency, ...sale }) => ({
    ...sale,
    amount: formatMoney(amountMinor, currency, "en"),
  }));
  return { ...unreported, newest };
}

function deliveriesOf({ deliveries, names }: OverviewFacts, zone: string): Overview["deliveries"] {
  const points = deliveries.points.map(({ atMs, ...point }) => ({ at: new Date(atMs), ...point }));
  const chart = smooth(points, (some) => {
    const mean = (key: "meta" | "telegram" | "failures") =>
      Math.round((10 * some.reduce((sum, point) => sum + point[key], 0)) / some.length) / 10;
    return {
      at: some[0]?.at ?? new Date(0),
      meta: mean("meta"),
      telegram: mean("telegram"),
      failures: mean("failures"),
    };
  });
  const sum = (key: "meta" | "telegram") => points.reduce((total, point) => total + point[key], 0);
  return {
    toMeta: sum("meta"),
    toTelegram: sum("telegram"),
    chart: chart.points,
    meansOf: chart.step,
    table: coarsen(points, zone, (a, b) => ({
      at: a.at,
      meta: a.meta + b.meta,
      telegram: a.telegram + b.telegram,
      failures: a.failures + b.failures,
    })),
    byRoute: routeTimes(deliveries.hours, names, zone),
    routes: deliveries.routes.map((rate) => ({ ...rate, ...names(rate.destination, rate.route) })),
  };
}

function funnelOf({ funnel }: OverviewFacts, zone: string): Overview["funnel"] {
  const hours = funnel.byHour.map(({ atMs, ...steps }) => ({ at: new Date(atMs), ...steps }));
  const table = coarsen(hours, zone, (a, b) => ({
    at: a.at,
    clicks: a.clicks + b.clicks,
    starts: a.starts + b.starts,
    checkouts: a.checkouts + b.checkouts,
    paid: a.paid + b.paid,
    delivered: a.delivered + b.delivered,
    refunded: a.refunded + b.refunded,
    valuesMinor: addedValues(a.valuesMinor, b.valuesMinor),
  }));
  return {
    from: new Date(funnel.fromMs),
    total: shownLine(funnel.total, null),
    byPool: funnel.byPool.map((line) => shownLine(line, "/ops/pools")),
    byBot: funnel.byBot.map((line) => shownLine(line, "/ops/bots")),
    byCampaign: funnel.byCampaign.map((line) => shownLine(line, null)),
    chart: hours,
    table: table.map(({ valuesMinor, ...line }) => ({
      ...line,
      values: valueTexts(currencyLines(valuesMinor)),
    })),
  };
}

/** Each route's hours on their own, so that days are days of one route; the oldest first. */
function routeTimes(hours: readonly RouteHour[], names: RouteNames, zone: string): RouteTime[] {
  const lines = [...Map.groupBy(hours, ({ destination, route }) => `${destination} ${route}`).values()]
    .flatMap((ofRoute) =>
      coarsen(ofRoute, zone, (a, b) => ({
        ...a,
        delivered: a.delivered + b.delivered,
        failures: a.failures + b.failures,
      })),
    )
    .sort((a, b) => a.at.getTime() - b.at.getTime());
  return lines.map(({ destination, route, label, delivered, failures }) => ({
    label,
    of: names(destination, route).of,
    destination,
    delivered,
    failures,
  }));
}

function shownLine({ key, isThere, values, ...line }: FunnelLine, folder: string | null) {
  const href = isThere && folder !== null ? `${folder}/${key}` : null;
  return { ...line, href, values: valueTexts(values) };
}

function valueTexts(values: readonly Value[]): string[] {
  return values
    .filter(({ valueMinor }) => valueMinor !== 0)
    .map(({ valueMinor, currency }) => formatMoney(valueMinor, currency, "en"));
}

type Values = Readonly<Record<string, number>>;

function addedValues(a: Values, b: Values): Values {
  const sum: Record<string, number> = { ...a };
  for (const [currency, minor] of Object.entries(b)) sum[currency] = (sum[currency] ?? 0) + minor;
  return sum;
}

function currencyLines(values: Values) {
  return Object.entries(values).map(([currency, valueMinor]) => ({ currency, valueMinor }));
}
