import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { z } from "zod";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { findOfferView } from "../../src/offers/offer-view.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { commandEnvironment, ponte, ponteJson } from "./ponte.ts";

let own: TestDatabase;
let environment: Record<string, string>;
beforeAll(async () => {
  own = await createTestDatabase();
  environment = commandEnvironment(own);
  await ponteJson(["bot", "add", "--username", "shop_bot"], environment);
});
afterAll(() => own.dispose());

const flagsIn = (currency: string) => [
  ...`offer add --bot shop_bot --currency ${currency} --provider pushinpay`.split(" "),
  ...["--name", "Course", "--description", "All about bridges", "--delivery", "https://example.com/c"],
];
const flags = flagsIn("BRL");

describe(`ponte offer on ${testDialect}`, () => {
  test("makes, changes and lists offers, with prices as people write them", async () => {
    const made = SCHEMAS.Offer.parse(await ponteJson([...flags, "--price", "49.90"], environment));
    expect(made).toMatchObject({ price_minor: 4_990, currency: "BRL", provider: "pushinpay" });
    const changed = await ponte(["offer", "update", String(made.id), "--price", "39.9"], environment);
    expect(changed.code).toBe(0);
    expect(changed.out).toContain("R$39.90");
    const stars = ["offer", "update", String(made.id), "--currency", "xtr", "--provider", "telegram"];
    const inStars = await ponteJson([...stars, "--price", "50"], environment);
    expect(inStars).toMatchObject({ price_minor: 50, currency: "XTR", provider: "telegram" });
    expect(await ponteJson(["offer", "show", String(made.id)], environment)).toMatchObject({ id: made.id });
    const shown = await ponte(["offer", "show", String(made.id)], environment);
    expect(shown.out).toMatch(/^Delivery +https:\/\/example\.com\/c$/m);
    const listed = await ponteJson(["offer", "list", "--bot", "@shop_bot"], environment);
    expect(z.array(SCHEMAS.Offer).parse(listed)).toMatchObject([{ id: made.id }]);
    expect((await ponte(["offer", "list"], environment)).out).toContain("⭐\u00a050");
  });

  test("removes an offer that nobody saw, and says what to do about others", async () => {
    const make = async () =>
      SCHEMAS.Offer.parse(await ponteJson([...flags, "--price", "49.90"], environment)).id;
    const [seen, fresh] = [await make(), await make()];
    const { funnelStates } = own.db.tables;
    const step = { dedupKey: "x", state: "offer_viewed" as const, createdAt: new Date() };
    await own.db.transaction((tx) => tx.insert(funnelStates).values({ ...step, offerId: seen }));
    const remove = (id: number) => ponte(["offer", "remove", String(id)], environment);
    const refused = await remove(seen);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain(`offer update ${seen} --no-enabled`);
    expect(await remove(fresh)).toMatchObject({ code: 0, out: `Removed offer ${fresh}.\n`, err: "" });
    expect((await remove(fresh)).err).toContain("bun run ponte offer list");
  });

  test.each([
    ["no price", flags, "--price is missing"],
    ["half a cent", [...flags, "--price", "1.005"], "no amount in BRL"],
    ["a thousand with a point", [...flags, "--price", "1.000"], "write it as in 49.90"],
    ["a comma", [...flags, "--price", "49,90"], "write it as in 49.90"],
    ["half a Star", [...flagsIn("XTR"), "--price", "1.5"], "no amount in XTR; write it as in 4990"],
    ["no currency", [...flagsIn("REAL"), "--price", "1"], '--currency: "REAL" is no'],
    [
      "an unknown offer's name",
      ["offer", "update", "seven", "--price", "1"],
      "is not a number as the lists show it",
    ],
  ])("%s is wrong usage", async (_, args, message) => {
    const ran = await ponte(args, environment);
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(ran.err).toContain(message);
  });

  test("one that nobody can pay for is made all the same, and the answer says what is missing", async () => {
    const ran = await ponte([...flags, "--price", "5"], environment);
    expect(ran.code).toBe(0);
    expect(ran.err).toContain("Nobody can pay: pushinpay is not set up on this server");
    const setUp = { ...environment, PUSHINPAY_TOKEN: "41909|pushinpay0123456789" };
    expect(await ponte([...flags, "--price", "5"], setUp)).toMatchObject({ code: 0, err: "" });
  });

  test.if(testDialect === "postgres")(
    "a price that was read in one currency is not saved in another that somebody sets meanwhile",
    async () => {
      const made = SCHEMAS.Offer.parse(await ponteJson([...flags, "--price", "49.90"], environment));
      const { offers } = own.db.tables;
      const inYen = { currency: "JPY", priceMinor: 500, provider: "stripe", updatedAt: new Date() };
      const { change } = await own.db.transaction(async (tx) => {
        await tx.update(offers).set(inYen).where(eq(offers.id, made.id));
        const change = ponte(["offer", "update", String(made.id), "--price", "39.90"], environment);
        await untilHeldUp(own.db, change);
        return { change };
      });
      expect(await change).toMatchObject({ code: 1, out: "" });
      expect((await change).err).toContain("somebody else");
      expect(await findOfferView(own.db, own.db.tables, made.id)).toMatchObject({ price_minor: 500 });
    },
  );

  test("what would not work is refused with the flag to change", async () => {
    const stars = flagsIn("XTR");
    const ran = await ponte([...stars, "--price", "50"], environment);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("--provider: Stars");
    expect((await ponte(["offer", "update", "999", "--no-enabled"], environment)).code).toBe(1);
    const nobodys = await ponte(["offer", "list", "--bot", "no_such_bot"], environment);
    expect(nobodys).toMatchObject({ code: 1, out: "" });
    expect(nobodys.err).toContain("There is no bot @no_such_bot.");
  });
});
