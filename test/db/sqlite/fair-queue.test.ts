import { expect, test } from "bun:test";
import fc from "fast-check";
import { createFairQueue } from "../../../src/db/sqlite/fair-queue.ts";

type Kind = "here" | "whenever" | "elsewhere";

/** Lets `works` ask for their turns at once; resolves to the order in which they had them. */
async function orderOf(works: readonly Kind[]): Promise<string[]> {
  const inTurn = createFairQueue();
  const order: string[] = [];
  let under = 0;
  await Promise.all(
    works.map((kind, i) =>
      inTurn(async () => {
        expect(++under).toBe(1);
        order.push(`${kind} ${i}`);
        if (i % 3 === 0) await Bun.sleep(0);
        under--;
      }, kind),
    ),
  );
  return order;
}

test("nobody waits for more than one piece of work that can wait, nor that for more than one of the others", async () => {
  const order = await orderOf(["whenever", "whenever", "whenever", "here", "elsewhere", "whenever"]);
  expect(order).toEqual(["whenever 0", "here 3", "whenever 1", "elsewhere 4", "whenever 2", "whenever 5"]);
});

test("whatever is asked for, each has its turn once, alone, and in the order of what can wait or of what cannot", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Kind>("here", "whenever", "elsewhere"), { maxLength: 12 }),
      async (works) => {
        const order = await orderOf(works);
        const asked = works.map((kind, i) => `${kind} ${i}`);
        const canWait = (name: string) => name.startsWith("whenever");
        const cannot = (name: string) => !canWait(name);
        expect(order.filter(canWait)).toEqual(asked.filter(canWait));
        expect(order.filter(cannot)).toEqual(asked.filter(cannot));
      },
    ),
    { numRuns: 50 },
  ));

test.each(["here", "whenever"] as const)(
  "after work done %s whoever came meanwhile is read, before more of it",
  async (kind) => {
    const inTurn = createFairQueue();
    const order: string[] = [];
    const first = inTurn(async () => {
      order.push("first");
      // As a request that is read in the event loop's next turn.
      setImmediate(() => order.push("request"));
    }, kind);
    const second = inTurn(async () => void order.push("second"), kind);
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "request", "second"]);
  },
);

test("after another thread's work the next begins at once", async () => {
  const inTurn = createFairQueue();
  const order: string[] = [];
  const first = inTurn(async () => {
    setImmediate(() => order.push("request"));
  }, "elsewhere");
  const second = inTurn(async () => void order.push("second"), "elsewhere");
  await Promise.all([first, second]);
  expect(order).toEqual(["second"]);
});

test("a turn that fails fails alone", async () => {
  const inTurn = createFairQueue();
  const failing = inTurn(() => Promise.reject(new Error("disk full")), "here");
  const next = inTurn(async () => "written", "here");
  await expect(failing).rejects.toThrow("disk full");
  expect(await next).toBe("written");
});
