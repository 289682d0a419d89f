/** By what everything is counted, each time all of it. */
export const DIMENSIONS = ["pool", "bot", "campaign"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Whose numbers: the pool's or bot's id or the campaign, '' for none; and the currency, '' for what is no sale. */
interface FunnelKey {
  readonly dimension: Dimension;
  readonly key: string;
  readonly currency: string;
}

/** How often each step happened, and the sales' value in the currency's minor unit. */
export interface Counts {
  readonly clicks: number;
  readonly starts: number;
  readonly checkouts: number;
  readonly paid: number;
  readonly delivered: number;
  readonly refunded: number;
  readonly valueMinor: number;
  readonly refundedMinor: number;
}

export type FunnelCount = FunnelKey & Counts;

const NO_COUNTS: Counts = {
  clicks: 0,
  starts: 0,
  checkouts: 0,
  paid: 0,
  delivered: 0,
  refunded: 0,
  valueMinor: 0,
  refundedMinor: 0,
};

/** The campaign of what is kept together: no campaign's own name begins with a control character. */
export const OTHER_CAMPAIGNS = "\u0001other";

/** Adds counts up under their keys. */
export function createTally() {
  const counts = new Map<string, FunnelCount>();
  return {
    add({ dimension, key, currency }: FunnelKey, change: Partial<Counts>): void {
      const name = `${dimension} ${currency} ${key}`;
      const had = counts.get(name) ?? { dimension, key, currency, ...NO_COUNTS };
      const sum = (step: keyof Counts) => had[step] + (change[step] ?? 0);
      counts.set(name, {
        ...had,
        clicks: sum("clicks"),
        starts: sum("starts"),
        checkouts: sum("checkouts"),
        paid: sum("paid"),
        delivered: sum("delivered"),
        refunded: sum("refunded"),
        valueMinor: sum("valueMinor"),
        refundedMinor: sum("refundedMinor"),
      });
    },
    all: (): FunnelCount[] => [...counts.values()],
  };
}

/** Counts of several times as one. */
export function sumUp(counts: readonly FunnelCount[]): FunnelCount[] {
  const tally = createTally();
  for (const { dimension, key, currency, ...count } of counts) tally.add({ dimension, key, currency }, count);
  return tally.all();
}

/**
 * Keeps the `most` campaigns that did most, by sales and then by clicks, and puts the others together: anybody can
 * write anything into `utm_campaign`, and a table must not grow by it. Pure.
 */
export function foldCampaigns(counts: readonly FunnelCount[], most: number): FunnelCount[] {
  const weights = new Map<string, number>();
  for (const { dimension, key, paid, starts, clicks } of counts) {
    if (dimension === "campaign") {
      weights.set(key, (weights.get(key) ?? 0) + paid * 1e6 + starts * 1e3 + clicks);
    }
  }
  const kept = new Set(
    [...weights]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, most)
      .map(([campaign]) => campaign),
  );
  return sumUp(
    counts.map((count) => {
      const isKept = count.dimension !== "campaign" || kept.has(count.key);
      return isKept ? count : { ...count, key: OTHER_CAMPAIGNS };
    }),
  );
}
