import { expect, test } from "bun:test";
import { type FunnelCount, foldCampaigns, OTHER_CAMPAIGNS } from "../../src/rollups/funnel-tally.ts";

const count = (key: string, more: Partial<FunnelCount>): FunnelCount => ({
  dimension: "campaign",
  key,
  currency: "",
  clicks: 0,
  starts: 0,
  checkouts: 0,
  paid: 0,
  delivered: 0,
  refunded: 0,
  valueMinor: 0,
  refundedMinor: 0,
  ...more,
});

test("of too many campaigns those are kept by name that sold, then those that were started from, then clicked on", () => {
  const pool = count("1", { dimension: "pool", clicks: 2_000 });
  const clicked = count("clicked", { clicks: 999 });
  const alike = count("clicked alike", { clicks: 999 });
  const started = count("started", { starts: 1 });
  const sold = count("sold", { currency: "BRL", paid: 1, valueMinor: 4990 });
  const other = (more: Partial<FunnelCount>) => count(OTHER_CAMPAIGNS, more);
  const fold = (most: number) => foldCampaigns([alike, clicked, pool, started, sold], most);
  const expectSame = (found: FunnelCount[], wanted: FunnelCount[]) => {
    expect(found).toHaveLength(wanted.length);
    expect(found).toEqual(expect.arrayContaining(wanted));
  };
  expectSame(fold(1), [pool, sold, other({ clicks: 1_998, starts: 1 })]);
  expectSame(fold(2), [pool, sold, started, other({ clicks: 1_998 })]);
  // Of two that did the same, each count keeps the same one.
  expectSame(fold(3), [pool, sold, started, clicked, other({ clicks: 999 })]);
  expectSame(fold(4), [pool, sold, started, clicked, alike]);
});
