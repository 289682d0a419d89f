import { asc } from "drizzle-orm";
import { type BotDeps, connectBot } from "../../src/bots/connect-bot.ts";
import { updateBot } from "../../src/bots/manage-bots.ts";
import { telegramBotApi } from "../../src/bots/telegram-bot-api.ts";
import type { Database } from "../../src/db/database.ts";
import { createOffer } from "../../src/offers/manage-offers.ts";
import { offerDraftSchema } from "../../src/offers/offer-rules.ts";
import { listOffers } from "../../src/offers/offer-view.ts";
import type { Secrets } from "../../src/platform/secrets.ts";
import { createPool } from "../../src/pools/manage-pools.ts";
import { poolDraftSchema } from "../../src/pools/pool-rules.ts";

/** The demo's bot as the sandbox knows it. Nobody else would take this token, so it is no secret. */
export const DEMO_BOT = {
  username: "ponte_demo_bot",
  token: "7000000001:AAdemo-a-token-that-only-a-sandbox-takes",
} as const;

const POOL = { slug: "demo", meta_pixel_id: "1234567890" } as const;

/** Who the audit log names. */
const ACTOR = "demo";

/**
 * Brings the database up to date, and adds the demo's pool, bot and offer where they are not there yet. The sandbox
 * starts empty each time, so it is told of the bot, and the bot's webhook is set, every time.
 *
 * @throws where the database is another's: what its pools report would go to the sandbox and count as delivered
 */
export async function prepareDemo(
  db: Database,
  secrets: Secrets,
  { sandboxUrl, publicUrl }: { readonly sandboxUrl: string; readonly publicUrl: string },
): Promise<void> {
  const deps: BotDeps = {
    db,
    secrets,
    now: () => new Date(),
    telegram: telegramBotApi(sandboxUrl),
    publicUrl,
  };
  await refuseForeignDatabase(db);
  await db.migrate();
  await createPool(
    deps,
    ACTOR,
    poolDraftSchema.parse({
      ...POOL,
      name: "Ponte Demo",
      meta_access_token: "EAAdemo-a-token-that-only-a-sandbox-takes",
      meta_cloaker_param_name: "grim",
      meta_cloaker_param_value: "demo",
      bots: [{ username: DEMO_BOT.username }],
    }),
  );
  await tellSandbox(sandboxUrl);
  const { username, token } = DEMO_BOT;
  const bot = await updateBot(deps, ACTOR, username, { token });
  if (bot.kind !== "updated" && bot.kind !== "unchanged") throw new Error(`The demo's bot: ${bot.kind}`);
  const webhook = await connectBot(deps, username);
  if (webhook.kind !== "set") {
    const reason = webhook.kind === "failed" ? webhook.reason : webhook.kind;
    throw new Error(`The demo's bot cannot be reached at ${publicUrl}: ${reason}`);
  }
  await addOffer(deps);
}

/** A database is the demo's where its pool was the first: others were then made to try things out. */
async function refuseForeignDatabase(db: Database): Promise<void> {
  const { pools } = db.tables;
  // By name and pixel alone, and before anything is changed: it may be another version's, or have no tables yet.
  const [first] = await db
    .select({ slug: pools.slug, metaPixelId: pools.metaPixelId })
    .from(pools)
    .orderBy(asc(pools.id))
    .limit(1)
    .catch(() => []);
  if (!first || (first.slug === POOL.slug && first.metaPixelId === POOL.meta_pixel_id)) return;
  throw new Error(
    [
      `The demo does not start on this database: it has the pool "${first.slug}", whose events would go to the sandbox.`,
      "To serve that pool: bun run start, with the same DATABASE_URL. For the demo, name another database:",
      "  DATABASE_URL=data/demo/another.db ./scripts/start",
    ].join("\n"),
  );
}

async function tellSandbox(sandboxUrl: string): Promise<void> {
  const response = await fetch(`${sandboxUrl}/telegram/bots`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(DEMO_BOT),
  });
  if (!response.ok) throw new Error(`The sandbox refuses the demo's bot: ${await response.text()}`);
}

async function addOffer(deps: BotDeps): Promise<void> {
  const offers = await listOffers(deps.db, deps.db.tables, { bot: DEMO_BOT.username, limit: 1 });
  if (offers.items.length > 0) return;
  const result = await createOffer(
    deps,
    ACTOR,
    offerDraftSchema.parse({
      bot: DEMO_BOT.username,
      name: "Curso de Pontes",
      description: "Tudo sobre pontes, em doze aulas.",
      price_minor: 4_990,
      currency: "BRL",
      provider: "mercadopago",
      delivery: "https://example.com/curso-de-pontes",
    }),
  );
  if (result.kind === "invalid") throw new Error("The demo's offer is not valid");
}
