import { describe, expect, test } from "bun:test";
import { createGroupCommit, QueueFullError } from "../../src/db/group-commit.ts";

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
    await new Promise((next) => setImmediate(next));
    const second = [3, 4, 5, 6].map(group.submit);
    gate.resolve();
    await Promise.all([...first, ...second]);
    expect(batches).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  test("answers nobody before the write is done", async () => {
    const gate = Promise.withResolvers<void>();
    const group = createGroupCommit<number>({ write: () => gate.promise, isRowFault: () => true });
    let answered = false;
    const submitted = group.submit(1).then(() => {
      answered = true;
    });
    await new Promise((next) => setImmediate(next));
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
