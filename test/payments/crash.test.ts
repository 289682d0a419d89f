import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { and, eq } from "drizzle-orm";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";

const CHILD = join(import.meta.dir, "../support/confirm-and-die.ts");

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
  await addPool(own.db, { slug: "shop", metaPixelId: "5555555555" }, [{ username: "shop_bot" }]);
});
afterAll(() => own.dispose());

/** Runs the child that dies before its k-th step. */
async function confirmAndDie(reference: string, k: number): Promise<"killed" | "finished"> {
  const child = Bun.spawn(["bun", CHILD, own.url, reference, String(k)], { stderr: "pipe" });
  await child.exited;
  if (child.signalCode === "SIGKILL") return "killed";
  expect(await new Response(child.stderr).text()).toBe("");
  return "finished";
}

/** What a payment left behind, everywhere. */
async function traces(reference: string) {
  const { payments, outbox, funnelStates } = own.db.tables;
  const [payment] = await own.db
    .select()
    .from(payments)
    .where(and(eq(payments.provider, "generic"), eq(payments.providerRef, reference)));
  if (!payment) return { payment: null, events: 0, states: 0 };
  return {
    payment: payment.status,
    events: await own.db.$count(outbox, eq(outbox.paymentId, payment.id)),
    states: await own.db.$count(funnelStates, eq(funnelStates.paymentId, payment.id)),
  };
}

type Traces = Awaited<ReturnType<typeof traces>>;
const NOTHING: Traces = { payment: null, events: 0, states: 0 };
const EVERYTHING: Traces = { payment: "paid", events: 1, states: 2 };

describe(`a crash while a payment is confirmed, on ${testDialect}`, () => {
  test("between any two statements leaves nothing; the webhook sent again leaves everything, once", async () => {
    let killed = 0;
    for (let k = 1; ; k++) {
      const reference = `crash-${k}`;
      const end = await confirmAndDie(reference, k);
      if (end === "finished") {
        expect(await traces(reference)).toEqual(EVERYTHING);
        break;
      }
      killed++;
      expect(await traces(reference)).toEqual(NOTHING);
      expect(await confirmAndDie(reference, 0)).toBe("finished");
      expect(await traces(reference)).toEqual(EVERYTHING);
      expect(await confirmAndDie(reference, 0)).toBe("finished");
      expect(await traces(reference)).toEqual(EVERYTHING);
    }
    expect(killed).toBeGreaterThan(10);
  }, 120_000);
});
