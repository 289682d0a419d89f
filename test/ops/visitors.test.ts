import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { pageViewId, purchaseId } from "../../src/meta/event-ids.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";
import { type SeededVisitor, seedVisitor } from "../support/seed-visitor.ts";

const EVERY_STEP = [
  "click",
  "gate",
  "cookies",
  "PageView",
  "started",
  "offer viewed",
  "payment",
  "paid",
  "Purchase",
  "delivery",
  "delivered",
];

let own: TestApp;
let operator: TestOperator;
let visitor: SeededVisitor;
let organic: SeededVisitor;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD, PUBLIC_URL: "http://bridge.example.com" });
  operator = await logIn(own);
  visitor = await seedVisitor(own.db);
  organic = await seedVisitor(own.db, { organic: true });
});
afterAll(() => own.dispose());

const see = (path: string) => operator.see(path);

/** What the page's first table says that happened. */
function stepsIn(html: string): (string | undefined)[] {
  const body = /<tbody>(.*?)<\/tbody>/s.exec(html)?.[1] ?? "";
  return body
    .split("</tr>")
    .slice(0, -1)
    .map((row) => row.match(/<td[^>]*>.*?<\/td>/gs)?.[1]?.replace(/<[^>]*>/g, ""));
}

describe(`the console's visitors on ${testDialect}`, () => {
  test("one visitor is found by token, payment, event id and Telegram user, from click to delivery", async () => {
    const keys = [
      visitor.token,
      visitor.paymentId,
      pageViewId(visitor.token),
      `purchase_${visitor.paymentId}`,
      visitor.telegramUserId,
      ` ${visitor.token} `,
    ];
    for (const key of keys) {
      const html = await see(`/ops/visitors?q=${encodeURIComponent(key)}`);
      expect(html).toContain("1 visitor found");
      expect(html).toContain(visitor.token);
      expect(stepsIn(html)).toEqual(EVERY_STEP);
    }
    expect(stepsIn(await see(`/ops/visitors/${visitor.token}`))).toEqual(EVERY_STEP);
  });

  test("a person who came without an ad is found by payment", async () => {
    expect(await see(`/ops/visitors?q=${organic.paymentId}`)).toContain("Came without an ad");
  });

  test("what strangers wrote is text", async () => {
    const html = await see(`/ops/visitors/${visitor.token}`);
    expect(html).toContain("Mozilla/5.0 &lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).not.toContain("<script>alert");
    const asked = await see(`/ops/visitors?q=${encodeURIComponent('"><script>alert(2)</script>')}`);
    expect(asked).toContain("Nothing is known by that key");
    // Inside a quoted attribute only the quote could end the text.
    expect(asked).not.toContain('"><script>alert');
  });

  test("the list says how far each visit's PageView is", async () => {
    const { outboxEvents, outboxProgress } = own.db.tables;
    const [event] = await own.db
      .select({ id: outboxEvents.id })
      .from(outboxEvents)
      .where(eq(outboxEvents.eventId, pageViewId(visitor.token)));
    await own.db.transaction((tx) =>
      tx
        .update(outboxProgress)
        .set({ status: "expired" })
        .where(eq(outboxProgress.id, event?.id ?? 0)),
    );
    const row = (await see("/ops/visitors")).split("<tr>").find((html) => html.includes(visitor.token));
    expect(row).toContain(">expired<");
  });

  test("the list goes on page by page, each visit once, newest first", async () => {
    const seeded: string[] = [visitor.token];
    for (let i = 0; i < 60; i++) seeded.push((await seedVisitor(own.db)).token);
    const listed: string[] = [];
    let path: string | undefined = "/ops/visitors";
    while (path !== undefined) {
      const html: string = await see(path);
      listed.push(
        ...[...html.matchAll(/href="\/ops\/visitors\/([0-9a-f]{32})"/g)].map(([, token = ""]) => token),
      );
      path = /href="([^"]+)" rel="next"/.exec(html)?.[1];
    }
    expect(listed).toEqual(seeded.sort().reverse());
  });

  test("who is not known is told so, and no query breaks the page", async () => {
    expect((await operator.get(`/ops/visitors/${"0".repeat(32)}`)).status).toBe(404);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("q", "before"),
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.constantFrom("\0", "%", "9".repeat(300), "'; drop table x"),
        ),
        async (name, value) => {
          const query = `${name}=${encodeURIComponent(value.toWellFormed())}`;
          expect((await operator.get(`/ops/visitors?${query}&${query}`)).status).toBe(200);
          const path = `/ops/visitors/${encodeURIComponent(value.toWellFormed()).replaceAll(".", "%2E")}x`;
          expect((await operator.get(path)).status).toBe(404);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("nobody sees visitors without logging in", async () => {
    const answer = await own.request(`/ops/visitors/${visitor.token}`);
    expect(answer.status).toBe(303);
    expect(await answer.text()).not.toContain(visitor.token);
  });

  test("a payment's line says how far its Purchase is, and not that it was written down alone", async () => {
    const { db } = own;
    const { outboxEvents, outboxProgress } = db.tables;
    const buyer = await seedVisitor(db);
    const purchase = async () => {
      const html = await see(`/ops/visitors/${buyer.token}`);
      const payments = [...html.matchAll(/<tbody>(.*?)<\/tbody>/gs)][1]?.[1] ?? "";
      return payments
        .match(/<td[^>]*>.*?<\/td>/gs)
        ?.at(-1)
        ?.replace(/<[^>]*>/g, "");
    };
    expect(await purchase()).toBe("dead");
    const isIts = eq(outboxEvents.eventId, purchaseId(buyer.paymentId));
    const [event] = await db.select({ id: outboxEvents.id }).from(outboxEvents).where(isIts);
    await db.transaction(async (tx) => {
      await tx.delete(outboxProgress).where(eq(outboxProgress.id, event?.id ?? 0));
      await tx.delete(outboxEvents).where(isIts);
    });
    expect(await purchase()).toBe("no longer kept");
  });
});
