import type { Kit } from "../postgres/kit.ts";
import type { Destination } from "../vocabulary.ts";

/** What the overview reads instead of counting. */
export function rollupTables(kit: Kit) {
  const { table, uniqueIndex, rowId, text, big, instant } = kit;

  /**
   * What happened in an hour, counted anew from the sessions, funnel states and payments by `src/rollups`: pages that
   * look at weeks read these. Everything is there three times, by pool, by bot and by campaign. Rows with a currency
   * carry sales, those with '' everything else.
   */
  const funnelHourly = table(
    "funnel_hourly",
    {
      id: rowId(),
      dimension: text().$type<"pool" | "bot" | "campaign">().notNull(),
      hour: instant().notNull(),
      /** The pool's or the bot's id, or the campaign's name; '' where there is none. */
      key: text().notNull(),
      currency: text().notNull(),
      clicks: big().notNull(),
      starts: big().notNull(),
      checkouts: big().notNull(),
      paid: big().notNull(),
      delivered: big().notNull(),
      refunded: big().notNull(),
      valueMinor: big().notNull(),
      refundedMinor: big().notNull(),
    },
    (t) => [
      uniqueIndex("funnel_hourly_dimension_hour_key_currency_unique").on(
        t.dimension,
        t.hour,
        t.key,
        t.currency,
      ),
    ],
  );

  /** Requests of a route and what came of them, by minute (for some days) and by hour; see `src/rollups`. */
  const deliveryRates = table(
    "delivery_rates",
    {
      id: rowId(),
      unit: text().$type<"minute" | "hour">().notNull(),
      at: instant().notNull(),
      destination: text().$type<Destination>().notNull(),
      route: text().notNull(),
      requests: big().notNull(),
      /** Requests that did not go through. */
      failures: big().notNull(),
      /** Events that were delivered. */
      delivered: big().notNull(),
      durationMs: big().notNull(),
    },
    (t) => [
      uniqueIndex("delivery_rates_unit_at_destination_route_unique").on(t.unit, t.at, t.destination, t.route),
    ],
  );

  return { funnelHourly, deliveryRates };
}
