import { eq } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { SealBrokenError, type Secrets } from "../platform/secrets.ts";

/** What a bot sends with. */
export interface BotTokens {
  readonly token: string;
  /** The payment provider's, for invoices in money. */
  readonly paymentToken: string | null;
}

/** The bot's tokens; asked for with every message, so that changed ones count at once, in every process. */
export async function lookUpTokens(
  { db, secrets }: { readonly db: Database; readonly secrets: Secrets },
  botId: number,
): Promise<(BotTokens & { readonly kind: "found" }) | { readonly kind: "missing"; readonly reason: string }> {
  const { bots } = db.tables;
  const [bot] = await db
    .select({ username: bots.username, token: bots.token, paymentToken: bots.paymentToken })
    .from(bots)
    .where(eq(bots.id, botId));
  if (!bot?.token) {
    const name = bot ? `@${bot.username}` : `Bot ${botId}`;
    return {
      kind: "missing",
      reason: `${name} has no token. Set one: ponte bot update <username> --token …`,
    };
  }
  try {
    return {
      kind: "found",
      token: secrets.open(bot.token, "bots.token"),
      paymentToken: bot.paymentToken === null ? null : secrets.open(bot.paymentToken, "bots.payment_token"),
    };
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    return { kind: "missing", reason: `A token of @${bot.username} is unreadable. ${error.message}` };
  }
}
