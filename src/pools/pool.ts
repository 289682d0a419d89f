import type { Locale, Strategy } from "../db/vocabulary.ts";

/** A bot that a visit may be sent to. */
export interface PoolBot {
  readonly poolBotId: number;
  readonly botId: number;
  readonly username: string;
  readonly weight: number;
  readonly totalRedirects: number;
}

/** A pool as a visit needs it: nothing secret in it but the gate's value. */
export interface Pool {
  readonly id: number;
  /** The database whose pool it is (see `findDatabaseId`); null where that has no id yet. */
  readonly database: string | null;
  readonly slug: string;
  readonly name: string;
  readonly strategy: Strategy;
  readonly locale: Locale | null;
  readonly autoContinueMs: number | null;
  readonly captureParams: readonly string[];
  /** Where PageViews go; null where the pool's tracking is off or it has no pixel. */
  readonly metaPixelId: string | null;
  readonly metaTestEventCode: string | null;
  readonly utmifyPixelId: string | null;
  readonly gate: Gate;
  /** Enabled and healthy bots with a weight. */
  readonly bots: readonly PoolBot[];
}

export interface Gate {
  /** The secret link parameter; null where the pool asks for none. */
  readonly param: { readonly name: string; readonly value: string } | null;
  /** Self-declared automated clients are refused too. */
  readonly blockAutomated: boolean;
}
