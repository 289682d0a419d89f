import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import { type RefusalCount, readRefusals } from "../gate/read-refusals.ts";
import { yieldToEventLoop } from "../platform/yield-to-event-loop.ts";
import { countedAt } from "../rollups/rollups.ts";
import { type DeliveryFacts, readDeliveries } from "./deliveries.ts";
import { type FunnelFacts, readFunnel } from "./funnel.ts";
import { type RouteNames, routeNames } from "./route-names.ts";
import type { TimeRange } from "./time-range.ts";
import { readTrouble, type TroubleFacts } from "./trouble.ts";
import { readUnreportedSales, type UnreportedSales } from "./unreported-sales.ts";

/** What goes on now, and what a route is called. */
export interface PresentFacts {
  readonly trouble: TroubleFacts;
  readonly unreported: UnreportedSales;
  readonly names: RouteNames;
}

/** What was counted in a range of time. */
export interface CountedFacts {
  readonly deliveries: DeliveryFacts;
  readonly funnel: FunnelFacts;
  readonly refused: readonly RefusalCount[];
  readonly countedAt: Date | null;
}

/** Both are in nobody's time zone: the same for everybody who asks, in the console and over the API. */
export type OverviewFacts = PresentFacts & CountedFacts;

/** One statement after another; visitors come in between. */
export async function readPresent(
  db: Database,
  config: Pick<Config, "consentDenied" | "payments">,
): Promise<PresentFacts> {
  const names = await routeNames(db);
  const trouble = await readTrouble(db, names);
  await yieldToEventLoop();
  return { trouble, unreported: await readUnreportedSales(db, config), names };
}

/** The same for what was counted. */
export async function readCounted(db: Database, range: TimeRange): Promise<CountedFacts> {
  const deliveries = await readDeliveries(db, range);
  await yieldToEventLoop();
  const funnel = await readFunnel(db, range);
  await yieldToEventLoop();
  const refused = await readRefusals(db, { fromMs: funnel.fromMs, toMs: range.toMs });
  return { deliveries, funnel, refused, countedAt: await countedAt(db) };
}
