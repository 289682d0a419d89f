import type { FunnelLine, Steps } from "./funnel.tsx";
import type { PoolRefusals } from "./refusals.tsx";
import type { SpanChoice } from "./span.tsx";
import type { DeadLine, HeldRoute, PausedRoute, RouteName, SickBot, UnreportedSales } from "./trouble.tsx";

interface Point {
  readonly at: Date;
  readonly meta: number;
  readonly telegram: number;
  readonly failures: number;
}

/** What a route sent in an hour or a day. */
export interface RouteTime {
  readonly label: string;
  readonly of: string;
  readonly destination: string;
  readonly delivered: number;
  readonly failures: number;
}

/** All that the page shows of the installation. */
export interface Overview {
  readonly zone: string;
  readonly csrfToken: string;
  readonly span: SpanChoice;
  readonly trouble: {
    readonly waiting: number;
    readonly sending: number;
    readonly dead: number;
    readonly expired: number;
    readonly isMoreWaiting: boolean;
    readonly isMoreDead: boolean;
    readonly oldest: { readonly seconds: number; readonly route: RouteName } | null;
    readonly paused: readonly PausedRoute[];
    readonly held: readonly HeldRoute[];
    readonly deadByPool: readonly DeadLine[];
    readonly dispatchersAlive: number;
    readonly sickBots: readonly SickBot[];
  };
  readonly unreported: UnreportedSales;
  /** `chart` has means of so many minutes or hours, `table` sums, in few enough lines to read. */
  readonly deliveries: {
    readonly toMeta: number;
    readonly toTelegram: number;
    readonly meansOf: number;
    readonly chart: readonly Point[];
    readonly table: readonly (Point & { readonly label: string })[];
    /** Of the busiest routes, what was sent in each hour or day; the newest last. */
    readonly byRoute: readonly RouteTime[];
    readonly routes: readonly (RouteName & {
      readonly requests: number;
      readonly failures: number;
      readonly delivered: number;
      readonly meanMs: number;
    })[];
  };
  readonly funnel: {
    readonly from: Date;
    readonly total: FunnelLine;
    readonly byPool: readonly FunnelLine[];
    readonly byBot: readonly FunnelLine[];
    readonly byCampaign: readonly FunnelLine[];
    readonly chart: readonly (Steps & { readonly at: Date })[];
    readonly table: readonly (Steps & { readonly label: string; readonly values: readonly string[] })[];
  };
  /** In the same whole hours as the funnel. */
  readonly refused: readonly PoolRefusals[];
  /** When the funnel and the deliveries were last counted; null: never yet. */
  readonly countedAgoMs: number | null;
}
