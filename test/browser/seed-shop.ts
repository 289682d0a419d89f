import { findBot } from "../../src/bots/bot-view.ts";
import { updateBot } from "../../src/bots/manage-bots.ts";
import { telegramBotApi } from "../../src/bots/telegram-bot-api.ts";
import { noteUse, revokeApiKey } from "../../src/keys/api-keys.ts";
import { createOffer } from "../../src/offers/manage-offers.ts";
import type { TestApp } from "../support/app.ts";
import { makeApiKey } from "../support/keys.ts";
import { registerBot } from "../support/sandbox.ts";

const BOTS = ["edicao_aulas_bot", "edicao_turma2_bot", "vip_mensal_bot"];
const OFFERS = [
  { name: "Curso completo", price_minor: 19_700, currency: "BRL", provider: "pushinpay" },
  { name: "Módulo 1: corte e ritmo", price_minor: 4_990, currency: "BRL", provider: "pushinpay" },
  { name: "Pacote de trilhas", price_minor: 350, currency: "XTR", provider: "telegram" },
  {
    name: "Mentoria de junho",
    price_minor: 99_700,
    currency: "BRL",
    provider: "mercadopago",
    enabled: false,
  },
];

/**
 * What `seedTraffic` leaves out because no visitor needs it: the bots' tokens and webhooks, with Telegram's stand-in at
 * `telegramUrl`; people, offers and API keys.
 */
export async function seedShop({ db, deps }: TestApp, telegramUrl: string): Promise<void> {
  const { publicUrl } = deps.config;
  for (const [i, username] of BOTS.entries()) {
    const token = `${7_001 + i}:${"A".repeat(35)}`;
    await registerBot({ url: telegramUrl }, { token, username });
    const telegram = telegramBotApi(telegramUrl);
    await updateBot({ ...deps, telegram, publicUrl }, "cli", username, {
      ...{ token, locale: "pt-BR" as const },
      welcome: "Oi, {name}! Que bom que você veio.\nEscolha por onde começar:",
    });
    await seedPeople(db, username, [1_240, 431, 86][i] ?? 0);
  }
  for (const offer of OFFERS) {
    await createOffer(deps, "cli", {
      bot: BOTS[0] ?? "",
      description: "Edição de vídeo do zero, no celular ou no computador.",
      delivery: "https://example.com/curso",
      ...offer,
    });
  }
  await makeApiKey(deps, "relatórios", "read", "cli");
  await makeApiKey(deps, "loja", "write", "cli");
  const [row] = await db.select().from(db.tables.apiKeys).limit(1);
  if (row) await noteUse(deps, row);
  const { view } = await makeApiKey(deps, "agência antiga", "read", "cli");
  await revokeApiKey(deps, "cli", view.id);
}

async function seedPeople(db: TestApp["db"], username: string, total: number): Promise<void> {
  const bot = await findBot(db, db.tables, username);
  const times = { createdAt: new Date(), updatedAt: new Date() };
  const people = Array.from({ length: total }, (_, i) => ({
    ...{ botId: bot?.id ?? 0, telegramUserId: String(1_000 + i) },
    ...times,
  }));
  await db.transaction((tx) => tx.insert(db.tables.botUsers).values(people));
}
