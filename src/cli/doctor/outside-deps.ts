import type { BotApi } from "../../bots/bot-api.ts";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import type { Secrets } from "../../platform/secrets.ts";

/** What it takes to look at pixels and bots, from here and from the other side. */
export interface OutsideDeps {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly config: Config;
  readonly telegram: BotApi;
  /** False: nothing is asked of Meta and Telegram. */
  readonly isOnline: boolean;
}
