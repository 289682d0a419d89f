/** Whose numbers: 0 and '' stand for "none". */
export interface FunnelKey {
  readonly poolId: number;
  readonly botId: number;
  readonly campaign: string;
  readonly currency: string;
}

/** How often each step happened, and the sales' value in the currency's minor unit. */
export interface FunnelCount extends FunnelKey {
  readonly clicks: number;
  readonly starts: number;
  readonly checkouts: number;
  readonly paid: number;
  readonly delivered: number;
  readonly refunded: number;
  readonly valueMinor: number;
  readonly refundedMinor: number;
}

export const NO_COUNTS = {
  clicks: 0,
  starts: 0,
  checkouts: 0,
  paid: 0,
  delivered: 0,
  refunded: 0,
  valueMinor: 0,
  refundedMinor: 0,
} as const satisfies Omit<FunnelCount, keyof FunnelKey>;

/** The campaign of what is kept together: no campaign's own name begins with a control character. */
export const OTHER_CAMPAIGNS = "\u0001other";

export function addCounts(count: FunnelCount, change: Partial<FunnelCount>): FunnelCount {
  const sum = (key: keyof typeof NO_COUNTS) => count[key] + (change[key] ?? 0);
  return {
    ...count,
    clicks: sum("clicks"),
    starts: sum("starts"),
    checkouts: sum("checkouts"),
    paid: sum("paid"),
    delivered: sum("delivered"),
    refunded: sum("refunded"),
    valueMinor: sum("valueMinor"),
    refundedMinor: sum("refundedMinor"),
  };
}

/**
 * Keeps the `most` campaigns that did most, by sales and then by clicks, and puts the others together: anybody can
 * write anything into `utm_campaign`, and a table must not grow by it. Pure.
 */
export function foldCampaigns(counts: readonly FunnelCount[], most: number): FunnelCount[] {
  const weights = new Map<string, number>();
  for (const { campaign, paid, starts, clicks } of counts) {
    weights.set(campaign, (weights.get(campaign) ?? 0) + paid * 1e6 + starts * 1e3 + clicks);
  }
  if (weights.size <= most) return [...counts];
  const kept = new Set(
    [...weights]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, most)
      .map(([campaign]) => campaign),
  );
  const folded = new Map<string, FunnelCount>();
  for (const count of counts) {
    const campaign = kept.has(count.campaign) ? count.campaign : OTHER_CAMPAIGNS;
    const name = JSON.stringify([count.poolId, count.botId, campaign, count.currency]);
    const had = folded.get(name);
    folded.set(name, had ? addCounts(had, count) : { ...count, campaign });
  }
  return [...folded.values()];
}
