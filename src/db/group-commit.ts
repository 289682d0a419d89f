import { yieldToEventLoop } from "../platform/yield-to-event-loop.ts";
import { createWaitingList, type Waiting } from "./waiting-list.ts";

interface GroupCommitOptions<T> {
  /** Writes the items in one transaction; rejecting means that none of them was written. */
  write(batch: readonly T[]): Promise<void>;
  /** Whether a batch's failure may be one row's fault, so that its neighbours deserve a try of their own. */
  isRowFault(error: unknown): boolean;
  maxBatch?: number;
  /** Batches that may be under way at once; 1 unless said otherwise. In which order they are written is not settled. */
  maxWrites?: number;
  /**
   * As many share a commit, and are written while the next are being read. `Infinity` takes all that wait: for a write that
   * holds up whoever reads.
   */
  targetBatch?: number;
  /** Items that may wait at once. */
  maxWaiting?: number;
  /** Whoever waited for so long when a batch ends is not written, but told so at once; without it, all wait their turn. */
  maxWaitMs?: number;
  /** Told of every finished batch, for the metrics. */
  onCommit?(size: number, durationMs: number): void;
}

interface GroupCommit<T> {
  /** Resolves once the item is committed. @throws QueueFullError, OverdueError, or what its write failed with. */
  submit(item: T): Promise<void>;
  /** Resolves when nothing waits and nothing is being written. */
  idle(): Promise<void>;
}

/** An error, boxed: anything may be thrown, null too. */
interface Failure {
  readonly error: unknown;
}

/** A batch of its own is worth it for this share of what is being written; fewer wait for company. */
const WORTH_A_BATCH = 1 / 4;

/**
 * Lets items that arrive together share a commit: one batch is written while the next one gathers and the last one is
 * answered. A batch that fails by a row's fault is written again row by row, so that the bad row fails alone. One that fails
 * by the database's fault fails all that wait, at once.
 */
export function createGroupCommit<T>(options: GroupCommitOptions<T>): GroupCommit<T> {
  const { write, isRowFault, maxBatch = 512, maxWrites = 1, targetBatch = 32 } = options;
  const { maxWaiting = 20_000, maxWaitMs = Number.POSITIVE_INFINITY } = options;
  const waiting = createWaitingList<T>(maxWaiting, maxWaitMs);
  let gathering: Promise<void> | undefined;
  /** Batches, and their items, that are being written. */
  let writes = 0;
  let writing = 0;
  /** Items of the batch written last: their clients may be back in a moment. */
  let written = 0;
  /** Batches that are being written or answered. */
  const unsettled = new Set<Promise<void>>();

  /** Lets a turn of the event loop go by first, so that requests read together are committed together. */
  async function gather(): Promise<void> {
    await yieldToEventLoop();
    gathering = undefined;
    pump();
  }

  /** Begins to write what waits, as far as it is due. */
  function pump(): void {
    while (isDue()) {
      const batch = writeNext();
      unsettled.add(batch);
      void batch.then(() => unsettled.delete(batch));
    }
  }

  function isDue(): boolean {
    return waiting.length > 0 && writes < maxWrites && waiting.length >= writing * WORTH_A_BATCH;
  }

  /** How many the next batch takes: an equal part for each that can be written at once, and one to be read and answered. */
  function batchSize(): number {
    const part = Math.ceil((waiting.length + writing + written) / (maxWrites + 1));
    return Math.min(maxBatch, Math.max(targetBatch, part));
  }

  async function writeNext(): Promise<void> {
    const items = waiting.take(batchSize());
    writes += 1;
    writing += items.length;
    const failure = await attempt(items);
    const isOneOfMany = failure !== null && items.length > 1 && isRowFault(failure.error);
    const fault = isOneOfMany ? await writeOneByOne(items) : failure;
    writes -= 1;
    writing -= items.length;
    written = items.length;
    // A database that is away would keep everybody behind this batch for a deadline of their own each.
    if (fault && !isRowFault(fault.error)) waiting.failAll(fault.error);
    // One that answers slowly never catches up with steady traffic, and everybody would wait for all before them.
    waiting.failOverdue();
    // What gathered meanwhile is on its way before anybody is answered: the database does not wait for answers.
    pump();
    if (isOneOfMany) return;
    for (const { resolve, reject } of items) {
      if (failure) reject(failure.error);
      else resolve();
    }
  }

  /** Answers each by itself, until the database fails: with that, whoever is left fails too. Resolves to it, or to null. */
  async function writeOneByOne(items: readonly Waiting<T>[]): Promise<Failure | null> {
    for (const [i, item] of items.entries()) {
      const failure = await attempt([item]);
      if (!failure) item.resolve();
      else if (isRowFault(failure.error)) item.reject(failure.error);
      else {
        for (const { reject } of items.slice(i)) reject(failure.error);
        return failure;
      }
    }
    return null;
  }

  /** Writes the items; resolves to what went wrong, or to null. */
  async function attempt(items: readonly Waiting<T>[]): Promise<Failure | null> {
    const begun = performance.now();
    try {
      await write(items.map(({ item }) => item));
      options.onCommit?.(items.length, performance.now() - begun);
      return null;
    } catch (error) {
      return { error };
    }
  }

  return {
    submit(item) {
      const committed = waiting.add(item);
      if (writes < maxWrites) {
        if (waiting.length >= targetBatch) pump();
        else gathering ??= gather();
      }
      return committed;
    },
    async idle() {
      while (gathering || unsettled.size > 0) await Promise.all([gathering, ...unsettled]);
    },
  };
}
