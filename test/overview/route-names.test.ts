import { expect, test } from "bun:test";
import { routeNames } from "../../src/overview/route-names.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";

test(`a route and its lanes are called by their bot or their pools on ${testDialect}`, async () => {
  const own = await createTestDatabase();
  const { bots } = await addPool(own.db, { slug: "summer", metaPixelId: "777" }, [{ username: "shop_bot" }]);
  const names = await routeNames(own.db);
  const id = bots[0]?.id;
  for (const route of [`${id}`, `${id}/mercadopago`]) expect(names("telegram", route).of).toBe("@shop_bot");
  for (const route of ["777", "777/TEST1"]) expect(names("meta", route).of).toBe("summer");
  expect(names("telegram", `${id}0`).of).toBe("a bot that is gone");
  expect(names("meta", "778").of).toBe("no pool uses it");
  await own.dispose();
});
