import { z } from "zod";
import { FUNNEL_BY, type OverviewAnswer } from "../overview-answer.ts";
import { count, instant, text } from "./kinds.ts";

const share = z.number().nullable();

const routeShape = {
  destination: text,
  route: text,
  of: text.describe("The pools that send there, or the bot"),
};
const rates = z.strictObject({ starts: share, checkouts: share, paid: share, delivered: share });
const funnelLine = z.strictObject({
  key: text.describe("The pool's or bot's number, the campaign, or the hour's beginning"),
  name: text,
  clicks: count,
  starts: count,
  checkouts: count,
  paid: count,
  delivered: count,
  refunded: count,
  of_clicks: rates.describe("Shares from 0 to 1; null where nobody clicked"),
  of_step_before: rates,
  values: z.array(z.strictObject({ currency: text, value_minor: count })),
});

const EXAMPLE_LINE = {
  key: "1",
  name: "summer",
  clicks: 1_204,
  starts: 702,
  checkouts: 190,
  paid: 57,
  delivered: 57,
  refunded: 1,
  of_clicks: { starts: 0.5831, checkouts: 0.1578, paid: 0.0473, delivered: 0.0473 },
  of_step_before: { starts: 0.5831, checkouts: 0.2707, paid: 0.3, delivered: 1 },
  values: [{ currency: "BRL", value_minor: 284_430 }],
};
const EXAMPLE_ROUTE = { destination: "meta", route: "1234567890123456", of: "summer" };

export const overviewSchema: z.ZodType<OverviewAnswer> = z
  .strictObject({
    from: instant,
    to: instant,
    counted_at: instant
      .nullable()
      .describe("When what happened in the span was last counted; null: never yet"),
    sent: z
      .strictObject({ meta: count, telegram: count, failed_requests: count })
      .describe("Events delivered in the span"),
    now: z
      .strictObject({
        waiting: count,
        is_more_waiting: z.boolean().describe("Counting stopped there"),
        oldest_waiting: z.strictObject({ ...routeShape, age_seconds: count }).nullable(),
        sending: count,
        dead: count,
        is_more_dead: z.boolean().describe("Counting stopped there"),
        expired: count,
        paused_routes: z.array(
          z.strictObject({ ...routeShape, paused_at: instant, reason: text, waiting: count }),
        ),
        slow_routes: z.array(z.strictObject({ ...routeShape, state: z.enum(["throttled", "resting"]) })),
        unhealthy_bots: z.array(z.strictObject({ username: text, reason: text })),
        dispatchers_alive: count,
        unreported_sales: z
          .strictObject({
            count,
            is_more: z
              .boolean()
              .describe("Only the newest were looked at: there may be more, also where `count` is 0"),
            newest: z.array(
              z.strictObject({
                payment_id: text,
                provider: text,
                provider_ref: text,
                amount_minor: count,
                currency: text,
                paid_at: instant,
              }),
            ),
          })
          .describe(
            "Paid in the last seven days, and Meta was not told: no pool with a pixel was known. Register them again with tracking_token, or with bot and telegram_user_id. Not those that are kept from Meta on purpose",
          ),
      })
      .describe("Whatever the span"),
    deliveries: z.strictObject({
      unit: z.enum(["minute", "hour"]),
      points: z.array(z.strictObject({ at: instant, meta: count, telegram: count, failed_requests: count })),
      routes: z.array(
        z.strictObject({
          ...routeShape,
          requests: count,
          failed_requests: count,
          delivered: count,
          mean_ms: count,
        }),
      ),
    }),
    funnel: z.strictObject({
      from: instant.describe("The funnel counts whole hours"),
      by: z.enum(FUNNEL_BY),
      total: funnelLine,
      lines: z.array(funnelLine).describe("The 20 best by sales, then by clicks; every hour in its order"),
    }),
    gate_refusals: z.array(z.strictObject({ pool_id: count, pool: text, param: count, automated: count })),
  })
  .meta({
    examples: [
      {
        from: "2025-03-01T00:00:00.000Z",
        to: "2025-03-02T00:00:00.000Z",
        counted_at: "2025-03-02T00:00:03.000Z",
        sent: { meta: 1_261, telegram: 759, failed_requests: 2 },
        now: {
          waiting: 12,
          is_more_waiting: false,
          oldest_waiting: { ...EXAMPLE_ROUTE, age_seconds: 4 },
          sending: 0,
          dead: 1,
          is_more_dead: false,
          expired: 0,
          paused_routes: [
            {
              ...EXAMPLE_ROUTE,
              paused_at: "2025-03-01T21:40:00.000Z",
              reason: "Error validating access token (190)",
              waiting: 12,
            },
          ],
          slow_routes: [],
          unhealthy_bots: [],
          dispatchers_alive: 1,
          unreported_sales: {
            count: 1,
            is_more: false,
            newest: [
              {
                payment_id: "0193f2a6d2e38f4a9b5c6d7e8f901234",
                provider: "generic",
                provider_ref: "order-1001",
                amount_minor: 4990,
                currency: "BRL",
                paid_at: "2025-03-01T18:20:00.000Z",
              },
            ],
          },
        },
        deliveries: {
          unit: "minute",
          points: [{ at: "2025-03-01T00:00:00.000Z", meta: 3, telegram: 1, failed_requests: 0 }],
          routes: [{ ...EXAMPLE_ROUTE, requests: 640, failed_requests: 2, delivered: 1_261, mean_ms: 182 }],
        },
        funnel: {
          from: "2025-03-01T00:00:00.000Z",
          by: "pool",
          total: { ...EXAMPLE_LINE, key: "", name: "All" },
          lines: [EXAMPLE_LINE],
        },
        gate_refusals: [{ pool_id: 1, pool: "summer", param: 41, automated: 7 }],
      },
    ],
  });
