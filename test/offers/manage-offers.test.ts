import { expect, test } from "bun:test";
import { ne } from "drizzle-orm";
import { createOffer, deleteOffer, updateOffer } from "../../src/offers/manage-offers.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

const draft = {
  bot: "summer_bot",
  name: "Course",
  description: "",
  price_minor: 4_990,
  currency: "BRL",
  provider: "mercadopago",
  delivery: "https://example.com/course",
} as const;

test(`changes of an offer in one millisecond, or by a clock that is behind, are told apart by their stamps, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  await addPool(db, { slug: "summer" });
  const at = (iso: string) => ({ db, now: () => new Date(iso) });
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

test(`an offer of a bot that is removed in the same moment is refused as that of an unknown one, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  const { bots } = db.tables;
  const at = new Date();
  await db.transaction((tx) => tx.insert(bots).values({ username: draft.bot, createdAt: at, updatedAt: at }));
  const { making } = await db.transaction(async (tx) => {
    await tx.delete(bots);
    const making = createOffer({ db, now: () => at }, "cli", draft);
    await untilHeldUp(db, making);
    return { making };
  });
  expect(await making).toMatchObject({ kind: "invalid", issues: [{ path: "bot" }] });
  await dispose();
});

test(`an offer that is changed or removed leaves its bot's others, and other bots', as they are, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  await addPool(db, { slug: "summer" });
  await addPool(db, { slug: "winter" });
  const deps = { db, now: () => new Date() };
  const made = [];
  for (const bot of ["summer_bot", "summer_bot", "winter_bot"]) {
    const offer = await createOffer(deps, "cli", { ...draft, bot });
    if (offer.kind !== "created") throw new Error(offer.kind);
    made.push(offer.offer);
  }
  expect(made.map(({ position }) => position)).toEqual([0, 1, 0]);
  const id = made[1]?.id ?? 0;
  const { offers } = db.tables;
  const others = () => db.select().from(offers).where(ne(offers.id, id)).orderBy(offers.id);
  const before = await others();
  expect(await updateOffer(deps, "cli", id, { price_minor: 100, name: "Sale" })).toMatchObject({
    kind: "updated",
  });
  expect(await others()).toEqual(before);
  // Its own currency, named again, makes no other price of it.
  expect(await updateOffer(deps, "cli", id, { currency: "BRL" })).toMatchObject({ kind: "unchanged" });
  expect(await deleteOffer(deps, "cli", id)).toEqual({ kind: "deleted" });
  expect(await deleteOffer(deps, "cli", id)).toEqual({ kind: "not_found" });
  expect(await others()).toEqual(before);
  await dispose();
});

test(`of two changes at once each is held to what the other made of the offer, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  await addPool(db, { slug: "summer" });
  const deps = { db, now: () => new Date() };
  const made = await createOffer(deps, "cli", draft);
  if (made.kind !== "created") throw new Error(made.kind);
  const { id } = made.offer;
  const change = (change: Parameters<typeof updateOffer>[3]) => updateOffer(deps, "cli", id, change);
  // Each is fine by itself; Pix in dollars nobody could pay.
  await change({ provider: "stripe" });
  const results = await Promise.all([
    change({ currency: "USD", price_minor: 999 }),
    change({ provider: "mercadopago" }),
  ]);
  expect(results.map(({ kind }) => kind).sort()).toEqual(["invalid", "updated"]);
  await dispose();
});
