import { z } from "zod";

/** When a fault strikes; every stand-in's fault body has these fields. */
export const scheduleFields = {
  /** How many requests it strikes; without it 1, or no end where `rate` is given. */
  times: z.int().min(1).optional(),
  /** Chance of striking each request, 0 to 1; without it every request. */
  rate: z.number().min(0).max(1).optional(),
  /** Start of the random series, so that a run with `rate` can be repeated. */
  seed: z.int().optional(),
  /**
   * `false` (default): the fault strikes on arrival, nothing is recorded or done. `true`: the request is carried
   * out and recorded first, then the failure is answered, which is how at-least-once delivery makes duplicates.
   */
  after: z.boolean().default(false),
};

interface Schedule {
  readonly times?: number | undefined;
  readonly rate?: number | undefined;
  readonly seed?: number | undefined;
}

/** A fault as listed: what was asked, and how often it struck. `remaining` is `null` where it has no end. */
type ListedFault<F> = F & {
  readonly id: number;
  readonly hits: number;
  readonly remaining: number | null;
};

/** Faults waiting to strike, oldest first. At most one strikes a request. */
export interface Faults<F> {
  add(fault: F): ListedFault<F>;
  list(): readonly ListedFault<F>[];
  /** The first fault that applies to this request and strikes; it is counted. */
  take(applies: (fault: F) => boolean): F | null;
  clear(): number;
}

interface Armed<F> {
  readonly id: number;
  readonly fault: F;
  readonly random: () => number;
  hits: number;
  remaining: number | null;
}

/** Makes an empty set of faults. Every request counts, also those that would be refused anyway. */
export function createFaults<F extends Schedule>(): Faults<F> {
  let armed: Armed<F>[] = [];
  let nextId = 1;
  const listed = ({ id, fault, hits, remaining }: Armed<F>): ListedFault<F> => ({
    ...fault,
    id,
    hits,
    remaining,
  });
  return {
    add(fault) {
      const remaining = fault.times ?? (fault.rate === undefined ? 1 : null);
      const added = { id: nextId, fault, random: randomSeries(fault.seed ?? 1), hits: 0, remaining };
      nextId += 1;
      armed.push(added);
      return listed(added);
    },
    list: () => armed.map(listed),
    take(applies) {
      const struck = armed.find(
        ({ fault, random }) => applies(fault) && (fault.rate === undefined || random() < fault.rate),
      );
      if (struck === undefined) return null;
      struck.hits += 1;
      if (struck.remaining !== null) struck.remaining -= 1;
      if (struck.remaining === 0) armed = armed.filter((other) => other !== struck);
      return struck.fault;
    },
    clear() {
      const cleared = armed.length;
      armed = [];
      return cleared;
    },
  };
}

/** Repeatable numbers in [0, 1): mulberry32. */
function randomSeries(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
