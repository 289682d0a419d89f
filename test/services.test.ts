import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { startServices } from "../src/services.ts";
import { createTestApp, type TestApp } from "./support/app.ts";
import { testDialect } from "./support/database.ts";
import { addRows, statusCounts } from "./support/outbox.ts";
import { seedVisitor } from "./support/seed-visitor.ts";
import { until } from "./support/until.ts";

const DAY_MS = 86_400_000;

let own: TestApp;
beforeAll(async () => {
  own = await createTestApp({ RETENTION_DAYS: "30", META_GRAPH_URL: "http://127.0.0.1:9" });
});
afterAll(() => own.dispose());

describe(`a process that dispatches, on ${testDialect}`, () => {
  test("removes what is older than RETENTION_DAYS and expires payments that nobody paid", async () => {
    const { db, deps } = own;
    const { payments } = db.tables;
    await addRows(db, 7, { status: "delivered", createdAt: new Date(Date.now() - 31 * DAY_MS) });
    await addRows(db, 3, { status: "delivered", createdAt: new Date(Date.now() - 29 * DAY_MS) });
    const { paymentId } = await seedVisitor(db);
    await db.transaction(async (tx) => {
      const createdAt = new Date(Date.now() - 3 * DAY_MS);
      await tx.update(payments).set({ status: "pending", createdAt }).where(eq(payments.id, paymentId));
    });
    const services = await startServices(deps, 0);
    const state = async () => {
      const [payment] = await db.select().from(payments).where(eq(payments.id, paymentId));
      return `${(await statusCounts(db)).delivered} ${payment?.status}`;
    };
    await until(async () => (await state()) === "3 expired");
    await services.stop();
    expect(await state()).toBe("3 expired");
  });

  test("a process that only answers requests leaves that to others", async () => {
    const { db, deps } = own;
    const { payments } = db.tables;
    const { paymentId } = await seedVisitor(db);
    await db.transaction(async (tx) => {
      const createdAt = new Date(Date.now() - 3 * DAY_MS);
      await tx.update(payments).set({ status: "pending", createdAt }).where(eq(payments.id, paymentId));
    });
    const status = async () => {
      const [payment] = await db.select().from(payments).where(eq(payments.id, paymentId));
      return payment?.status;
    };
    // Payments are looked at as soon as a process starts, and before it stops.
    const answering = await startServices({ ...deps, config: { ...deps.config, role: "web" } });
    await answering.stop();
    expect(await status()).toBe("pending");
    const dispatching = await startServices(deps);
    await dispatching.stop();
    expect(await status()).toBe("expired");
  });
});
