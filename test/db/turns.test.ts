import { expect, test } from "bun:test";
import fc from "fast-check";
import { takeTurns } from "../../src/db/turns.ts";

type Lane = "front" | "back";

/** Lets `works` ask for their turns at once; resolves to the order in which they had them. */
async function orderOf(works: readonly Lane[]): Promise<string[]> {
  const inTurn = takeTurns();
  const order: string[] = [];
  let under = 0;
  await Promise.all(
    works.map((lane, i) =>
      inTurn(async () => {
        expect(++under).toBe(1);
        order.push(`${lane} ${i}`);
        if (i % 3 === 0) await Bun.sleep(0);
        under--;
      }, lane),
    ),
  );
  return order;
}

test("nobody in front waits for more than one piece of work that can wait, nor that for more than one of them", async () => {
  const order = await orderOf(["back", "back", "back", "back", "front", "front", "back"]);
  expect(order).toEqual(["back 0", "front 4", "back 1", "front 5", "back 2", "back 3", "back 6"]);
});

test("whatever is asked for, each has its turn once, alone, and in its lane's order", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom<Lane>("front", "back"), { maxLength: 12 }), async (works) => {
      const order = await orderOf(works);
      for (const lane of ["front", "back"] as const) {
        const asked = works.flatMap((of, i) => (of === lane ? [`${lane} ${i}`] : []));
        expect(order.filter((name) => name.startsWith(lane))).toEqual(asked);
      }
    }),
    { numRuns: 50 },
  ));

test("who comes while work that can wait is done is next, before more of it", async () => {
  const inTurn = takeTurns();
  const order: string[] = [];
  const first = inTurn(async () => {
    order.push("first");
    // As a request that is read in the event loop's next turn.
    setImmediate(() => inTurn(async () => void order.push("visitor")));
  }, "back");
  const second = inTurn(async () => void order.push("second"), "back");
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "visitor", "second"]);
});

test("a turn that fails fails alone", async () => {
  const inTurn = takeTurns();
  const failing = inTurn(() => Promise.reject(new Error("disk full")));
  const next = inTurn(async () => "written");
  await expect(failing).rejects.toThrow("disk full");
  expect(await next).toBe("written");
});
