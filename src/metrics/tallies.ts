/**
 * What became of requests for /go, as plain numbers: counting one is an addition, and nobody looks anything up. The
 * metrics read them when they are asked for.
 */
export interface VisitTallies {
  /** Accepted, and shown the bridge page. */
  page: number;
  /** Accepted, and sent straight on to the bot. */
  redirect: number;
  refusedParam: number;
  refusedAutomated: number;
  rateLimited: number;
  notFound: number;
  /** Nothing could be served: no bot, a full queue, or pools that were never read. */
  unavailable: number;
  /** HEAD and prefetch that the gate lets in: nobody has come yet. */
  lookedAhead: number;
  committed: number;
  spooled: number;
  /** Neither database nor disk took it; the log is all that is left. */
  lost: number;
}

/** All at nought. */
export function newVisitTallies(): VisitTallies {
  return {
    page: 0,
    redirect: 0,
    refusedParam: 0,
    refusedAutomated: 0,
    rateLimited: 0,
    notFound: 0,
    unavailable: 0,
    lookedAhead: 0,
    committed: 0,
    spooled: 0,
    lost: 0,
  };
}

/** Counts by labels, as plain numbers too. */
export interface Tally<L extends string> {
  add(labels: Readonly<Record<L, string>>, n?: number): void;
  entries(): (readonly [labels: Readonly<Record<L, string>>, n: number])[];
}

/** With nothing counted yet. */
export function newTally<L extends string>(): Tally<L> {
  const all = new Map<string, { readonly labels: Readonly<Record<L, string>>; n: number }>();
  return {
    add(labels, n = 1) {
      const key = JSON.stringify(labels);
      const count = all.get(key) ?? { labels, n: 0 };
      count.n += n;
      all.set(key, count);
    },
    entries: () => [...all.values()].map(({ labels, n }) => [labels, n] as const),
  };
}
