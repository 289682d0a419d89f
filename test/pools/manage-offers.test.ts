import { expect, test } from "bun:test";
import { createOffer, updateOffer } from "../../src/pools/manage-offers.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";

test(`changes of an offer in one millisecond, or by a clock that is behind, are told apart by their stamps, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  await addPool(db, { slug: "summer" });
  const at = (iso: string) => ({ db, now: () => new Date(iso) });
  const draft = {
    bot: "summer_bot",
    name: "Course",
    description: "",
    price_minor: 4_990,
    currency: "BRL",
    provider: "mercadopago",
    delivery: "https://example.com/course",
  } as const;
  const made = await createOffer(at("2026-03-01T12:00:00.000Z"), "cli", draft);
  if (made.kind !== "created") throw new Error("the offer was not made");
  const stamps = [made.offer.updated_at];
  for (const [iso, price_minor] of [
    ["2026-03-01T12:00:00.000Z", 3_990],
    ["2026-03-01T11:59:00.000Z", 2_990],
  ] as const) {
    const changed = await updateOffer(at(iso), "cli", made.offer.id, { price_minor });
    if (changed.kind !== "updated") throw new Error("the offer was not changed");
    stamps.push(changed.offer.updated_at);
  }
  expect(stamps).toEqual(stamps.toSorted());
  expect(new Set(stamps).size).toBe(3);
  await dispose();
});
