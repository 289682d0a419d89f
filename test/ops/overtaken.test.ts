import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { createBotHealth } from "../../src/bots/bot-health.ts";
import { createOffer } from "../../src/offers/manage-offers.ts";
import { findPoolById } from "../../src/pools/pool-view.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { formIn } from "../support/html.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";
import { addPool } from "../support/pools.ts";

let own: TestApp;
let operator: TestOperator;
const paths: Record<"pool" | "bot" | "offer", string> = { pool: "", bot: "", offer: "" };
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD, PUSHINPAY_TOKEN: "push-token" });
  operator = await logIn(own);
  const { pool, bots } = await addPool(own.db, { slug: "shop", metaPixelId: null });
  const made = await createOffer({ db: own.db, now: () => new Date() }, "cli", {
    bot: "shop_bot",
    name: "Course",
    description: "All about bridges",
    price_minor: 4_990,
    currency: "BRL",
    provider: "pushinpay",
    delivery: "https://example.com/course",
  });
  if (made.kind !== "created") throw new Error("the offer was not made");
  paths.pool = `/ops/pools/${pool.id}`;
  paths.bot = `/ops/bots/${bots[0]?.id}`;
  paths.offer = `/ops/offers/${made.offer.id}`;
});
afterAll(() => own.dispose());

describe(`two saves of one page in the same moment on ${testDialect}`, () => {
  test.each([
    ["pool", "name"],
    ["bot", "welcome"],
    ["offer", "name"],
  ] as const)("of a %s: one is kept, the other is told and keeps what was typed", async (what, field) => {
    const path = paths[what];
    const form = await operator.formOn(path);
    const typed = ["first", "second", "third"].map((text) => ({ ...form, [field]: [text] }));
    const answers = await Promise.all(typed.map((fields) => operator.post(path, fields)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 400, 400]);
    const saved = answers.findIndex(({ status }) => status === 303);
    expect(await operator.formOn(path)).toMatchObject({ [field]: typed[saved]?.[field] ?? [] });

    const told = answers.findIndex(({ status }) => status === 400);
    const html = (await answers[told]?.text()) ?? "";
    expect(html).toContain(`The ${what} was changed since this page was opened`);
    expect(html.includes("Secrets that you typed must be typed again.")).toBe(what !== "offer");
    const again = formIn(html, `${path}#settings`);
    expect(again).toMatchObject({ [field]: typed[told]?.[field] ?? [] });
    expect((await operator.post(path, again)).status).toBe(303);
    expect(await operator.formOn(path)).toMatchObject({ [field]: typed[told]?.[field] ?? [] });
  });
});

test(`a pool's page that was opened before its bot was renamed does not bring the old name back, on ${testDialect}`, async () => {
  const { db, deps } = own;
  const { pool, bots } = await addPool(db, { slug: "renames", metaPixelId: null }, [
    { username: "former_bot" },
  ]);
  const { bots: table } = db.tables;
  const token = deps.secrets.seal("1:token", "bots.token");
  await db.transaction((tx) =>
    tx
      .update(table)
      .set({ token })
      .where(eq(table.id, bots[0]?.id ?? 0)),
  );
  const path = `/ops/pools/${pool.id}`;
  const form = await operator.formOn(path);
  const identity = { kind: "known", telegramId: "1", username: "latter_bot" } as const;
  await createBotHealth({ ...deps, telegram: { identify: async () => identity } }).run();
  const answer = await operator.post(path, { ...form, name: "Other" });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("The pool was changed since this page was opened");
  expect(await findPoolById(db, db.tables, pool.id)).toMatchObject({ bots: [{ username: "latter_bot" }] });
});
