import { describe, expect, test } from "bun:test";
import { createGroupCommit } from "../../src/db/group-commit.ts";
import { QueueFullError } from "../../src/db/waiting-list.ts";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";
import { until } from "../support/until.ts";

describe("createGroupCommit", () => {
  test("what arrives together is written together, and what arrives meanwhile with the next batch", async () => {
    const batches: number[][] = [];
    const gate = Promise.withResolvers<void>();
    const group = createGroupCommit<number>({
      write: async (batch) => {
        batches.push([...batch]);
        await gate.promise;
      },
      isRowFault: () => true,
      maxBatch: 3,
    });
    const first = [1, 2].map(group.submit);
    await yieldToEventLoop();
    const second = [3, 4, 5, 6].map(group.submit);
    gate.resolve();
    await Promise.all([...first, ...second]);
    expect(batches).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  test("a bad row is written once alone and once with its neighbours, not more; what was committed is told by its size", async () => {
    const written: number[][] = [];
    const committed: number[] = [];
    const group = createGroupCommit<number>({
      write: async (batch) => {
        written.push([...batch]);
        if (batch.includes(0)) throw new Error("bad row");
      },
      isRowFault: () => true,
      onCommit: (size) => void committed.push(size),
    });
    await expect(group.submit(0)).rejects.toThrow("bad row");
    expect(written).toEqual([[0]]);
    await Promise.all([1, 2, 3].map(group.submit));
    await Promise.allSettled([4, 0].map(group.submit));
    expect(written.slice(1)).toEqual([[1, 2, 3], [4, 0], [4], [0]]);
    expect(committed).toEqual([3, 1]);
  });

  test("a full batch is written at once, while who comes with it is still being read", async () => {
    const batches: number[] = [];
    const group = createGroupCommit<number>({
      write: async (batch) => void batches.push(batch.length),
      isRowFault: () => true,
    });
    const submitted = Array.from({ length: 40 }, (_, i) => group.submit(i));
    expect(batches).toEqual([32]);
    await Promise.all(submitted);
    expect(batches).toEqual([32, 8]);
  });

  test.each([
    { clients: 64, maxWrites: 1, size: 32 },
    { clients: 300, maxWrites: 1, size: 150 },
    { clients: 300, maxWrites: 2, size: 100 },
  ])(
    "$clients clients who come back at once fall into equal batches of $size: one is read and answered while $maxWrites are written",
    async ({ clients, maxWrites, size }) => {
      const written: number[] = [];
      const group = createGroupCommit<number>({
        write: async (batch) => {
          written.push(batch.length);
          await yieldToEventLoop();
        },
        isRowFault: () => true,
        maxWrites,
      });
      const comeOften = async (client: number) => {
        for (let i = 0; i < 20; i++) await group.submit(client);
      };
      await Promise.all(Array.from({ length: clients }, (_, client) => comeOften(client)));
      const settled = written.slice(10, 20);
      expect(Math.max(...settled)).toBeLessThan(size * 1.3);
      expect(Math.min(...settled)).toBeGreaterThan(size * 0.7);
    },
  );

  test("two batches may be under way, the second once it is a quarter of the first; the third waits", async () => {
    const writes: { batch: readonly number[]; end: () => void }[] = [];
    const group = createGroupCommit<number>({
      write: (batch) => new Promise<void>((end) => writes.push({ batch, end })),
      isRowFault: () => true,
      maxWrites: 2,
    });
    const turn = () => yieldToEventLoop();
    const batches = () => writes.map(({ batch }) => batch);
    const submitted = [1, 2, 3, 4, 5].map(group.submit);
    await turn();
    submitted.push(group.submit(6));
    await turn();
    expect(batches()).toEqual([[1, 2, 3, 4, 5]]);
    submitted.push(group.submit(7));
    await turn();
    expect(batches()).toEqual([
      [1, 2, 3, 4, 5],
      [6, 7],
    ]);
    submitted.push(...[8, 9, 10].map(group.submit));
    await turn();
    expect(batches()).toHaveLength(2);
    // Whichever ends first makes room.
    writes[1]?.end();
    await Promise.all(submitted.slice(5, 7));
    expect(batches()).toEqual([
      [1, 2, 3, 4, 5],
      [6, 7],
      [8, 9, 10],
    ]);
    for (const { end } of writes) end();
    await Promise.all(submitted);
    await group.idle();
  });

  test("whoever waits too little for a second batch goes with the first one's end", async () => {
    const first = Promise.withResolvers<void>();
    const batches: number[][] = [];
    const group = createGroupCommit<number>({
      write: (batch) => {
        batches.push([...batch]);
        return batches.length === 1 ? first.promise : Promise.resolve();
      },
      isRowFault: () => true,
      maxWrites: 2,
    });
    const many = [1, 2, 3, 4, 5, 6, 7, 8].map(group.submit);
    await yieldToEventLoop();
    const last = group.submit(9);
    first.resolve();
    await Promise.all([...many, last]);
    expect(batches).toEqual([[1, 2, 3, 4, 5, 6, 7, 8], [9]]);
  });

  test("a fault of the database in one of two batches fails who waits, and not the other batch", async () => {
    const ends: PromiseWithResolvers<void>[] = [];
    const group = createGroupCommit<number>({
      write: () => {
        const end = Promise.withResolvers<void>();
        ends.push(end);
        return end.promise;
      },
      isRowFault: () => false,
      maxWrites: 2,
    });
    const outcomes: string[] = [];
    for (const name of ["first", "second", "third"]) {
      const note = (outcome: string) => () => void outcomes.push(`${name} ${outcome}`);
      void group.submit(0).then(note("written"), note("failed"));
      await yieldToEventLoop();
    }
    expect(ends).toHaveLength(2);
    ends[0]?.reject(new Error("away"));
    await yieldToEventLoop();
    ends[1]?.resolve();
    await group.idle();
    await yieldToEventLoop();
    expect(outcomes.sort()).toEqual(["first failed", "second written", "third failed"]);
  });

  test("answers nobody before the write is done", async () => {
    const gate = Promise.withResolvers<void>();
    const group = createGroupCommit<number>({ write: () => gate.promise, isRowFault: () => true });
    let answered = false;
    const submitted = group.submit(1).then(() => {
      answered = true;
    });
    await yieldToEventLoop();
    expect(answered).toBe(false);
    gate.resolve();
    await submitted;
    expect(answered).toBe(true);
  });

  test("a poisoned row fails alone", async () => {
    const written: number[] = [];
    const group = createGroupCommit<number>({
      write: async (batch) => {
        if (batch.includes(13)) throw new Error("poison");
        written.push(...batch);
      },
      isRowFault: () => true,
    });
    const outcomes = await Promise.allSettled([1, 13, 2, 3].map(group.submit));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(written).toEqual([1, 2, 3]);
  });

  test("a poisoned row that came alone is no reason to fail who waits behind it", async () => {
    const written: number[] = [];
    const gate = Promise.withResolvers<void>();
    const group = createGroupCommit<number>({
      write: async (batch) => {
        await gate.promise;
        if (batch.includes(13)) throw new Error("poison");
        written.push(...batch);
      },
      isRowFault: () => true,
    });
    const poisoned = group.submit(13);
    await yieldToEventLoop();
    const waiting = [1, 2].map(group.submit);
    gate.resolve();
    await expect(poisoned).rejects.toThrow("poison");
    await Promise.all(waiting);
    expect(written).toEqual([1, 2]);
  });

  test("whoever has waited for too long when a batch ends is told so, and not written", async () => {
    const written: number[] = [];
    const gate = Promise.withResolvers<void>();
    const group = createGroupCommit<number>({
      write: async (batch) => {
        await gate.promise;
        written.push(...batch);
      },
      isRowFault: () => true,
      maxWaitMs: 5,
    });
    const first = group.submit(1);
    await yieldToEventLoop();
    const late = [2, 3].map(group.submit);
    await Bun.sleep(20);
    gate.resolve();
    const outcomes = await Promise.allSettled(late);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await first;
    await group.submit(4);
    expect(written).toEqual([1, 4]);
  });

  test("is idle once nothing waits any more, nor is being written", async () => {
    const gate = Promise.withResolvers<void>();
    const group = createGroupCommit<number>({ write: () => gate.promise, isRowFault: () => true });
    const submitted = group.submit(1);
    await yieldToEventLoop();
    let isIdle = false;
    const idle = group.idle().then(() => {
      isIdle = true;
    });
    await yieldToEventLoop();
    expect(isIdle).toBe(false);
    gate.resolve();
    await submitted;
    await idle;
  });

  test("a fault of the database is not tried row by row", async () => {
    let writes = 0;
    const group = createGroupCommit<number>({
      write: async () => {
        writes++;
        throw new Error("away");
      },
      isRowFault: () => false,
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map(group.submit));
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(writes).toBe(1);
  });

  test("a fault of the database in the middle of trying row by row takes the rest and who waits, and is one write all along", async () => {
    const written: number[] = [];
    let underWay = 0;
    let most = 0;
    const group = createGroupCommit<number>({
      write: async (batch) => {
        most = Math.max(most, ++underWay);
        await Bun.sleep(1);
        underWay--;
        if (batch.includes(3)) throw new Error(batch.length === 1 ? "away" : "poison");
        written.push(...batch);
      },
      isRowFault: (error) => error instanceof Error && error.message === "poison",
    });
    const first = [1, 2, 3, 4].map(group.submit);
    await until(() => written.length !== 0, 0);
    const waiting = [5, 6].map(group.submit);
    const outcomes = await Promise.allSettled([...first, ...waiting]);
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(written).toEqual([1, 2]);
    expect(most).toBe(1);
  });

  test("a full queue refuses at once, and takes again when there is room", async () => {
    const gate = Promise.withResolvers<void>();
    const group = createGroupCommit<number>({
      write: () => gate.promise,
      isRowFault: () => true,
      maxWaiting: 2,
    });
    const taken = [group.submit(1), group.submit(2)];
    await expect(group.submit(3)).rejects.toBeInstanceOf(QueueFullError);
    gate.resolve();
    await Promise.all(taken);
    await group.submit(4);
    await group.idle();
  });
});
