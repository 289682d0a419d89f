import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isolate, type Reply } from "../../src/outbox/isolate.ts";

/** The other side: refuses a whole group for one bad row, and remembers what it was asked. */
function refuser(
  bad: ReadonlySet<number>,
  suspectsOf: (rows: readonly number[]) => readonly number[] = () => [],
) {
  const asked: (readonly number[])[] = [];
  const delivered: number[] = [];
  const dead: number[] = [];
  const ask = async (rows: readonly number[]): Promise<Reply> => {
    asked.push(rows);
    if (rows.some((row) => bad.has(row))) {
      if (rows.length === 1) dead.push(...rows);
      return { kind: "refused", suspects: suspectsOf(rows) };
    }
    delivered.push(...rows);
    return { kind: "delivered" };
  };
  return { asked, delivered, dead, ask };
}

const rowsTo = (n: number) => Array.from({ length: n }, (_, i) => i);
/** Nobody takes any of them meanwhile. */
const all = async (rows: readonly number[]) => rows;
const sorted = (rows: readonly number[]) => [...rows].sort((a, b) => a - b);

describe("isolating what is refused", () => {
  test.each([0, 1, 499, 500, 617, 998, 999])(
    "row %d of a thousand costs at most 2·log2(n) more requests",
    async (row) => {
      const other = refuser(new Set([row]));
      await isolate(rowsTo(1_000), other.ask, all);
      expect(other.dead).toEqual([row]);
      expect(other.delivered).toHaveLength(999);
      expect(other.asked.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(1_000)));
    },
  );

  test("a row rightly suspected costs two more requests", async () => {
    const other = refuser(new Set([617]), (rows) => [rows.indexOf(617)].filter((place) => place >= 0));
    await isolate(rowsTo(1_000), other.ask, all);
    expect(other.dead).toEqual([617]);
    expect(other.delivered).toHaveLength(999);
    expect(other.asked).toHaveLength(3);
  });

  test("where one half went, the other is not asked for as a whole: it holds what is bad", async () => {
    const other = refuser(new Set([7]));
    await isolate(rowsTo(8), other.ask, all);
    expect(other.asked).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3], [4, 5], [6], [7]]);
  });

  test("a wrong suspicion still ends with the right row", async () => {
    const other = refuser(new Set([617]), () => [0]);
    await isolate(rowsTo(1_000), other.ask, all);
    expect(other.dead).toEqual([617]);
    expect(other.delivered).toHaveLength(999);
  });

  test("whatever is bad, each bad row alone ends and every other one is delivered once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 70 }),
        fc.array(fc.nat(69)),
        fc.array(fc.nat(69)),
        async (n, badRows, suspected) => {
          const bad = new Set(badRows.filter((row) => row < n));
          const other = refuser(bad, (rows) =>
            rowsTo(rows.length).filter((i) => suspected.includes(rows[i] ?? -1)),
          );
          expect(await isolate(rowsTo(n), other.ask, all)).toEqual([]);
          expect(other.asked.filter((rows) => rows.length === 0)).toEqual([]);
          expect(sorted(other.dead)).toEqual(sorted([...bad]));
          expect(sorted(other.delivered)).toEqual(rowsTo(n).filter((row) => !bad.has(row)));
        },
      ),
    );
  });

  test("a stop hands back what was not asked for", async () => {
    let requests = 0;
    const ask = async (): Promise<Reply> => {
      requests++;
      return requests === 1 ? { kind: "refused", suspects: [] } : { kind: "stop" };
    };
    const rest = await isolate(rowsTo(8), ask, all);
    expect(rest).toEqual([4, 5, 6, 7]);
  });

  test("what others took meanwhile is not asked for, and keeps nobody from being found", async () => {
    const other = refuser(new Set([1]));
    const lost = async (rows: readonly number[]) =>
      rows.length === 8 ? rows : rows.filter((row) => row % 3 !== 0);
    expect(await isolate(rowsTo(8), other.ask, lost)).toEqual([]);
    expect(other.dead).toEqual([1]);
    expect(sorted(other.delivered)).toEqual([2, 4, 5, 7]);
  });
});
