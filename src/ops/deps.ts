import type { Redis } from "ioredis";
import type { Assets } from "../assets/assets.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import type { Secrets } from "../platform/secrets.ts";

/** Who a client is, as the redirect tells it (see `clientAddressFinder`). */
interface ClientAddress {
  isTrusted(peer: string | null): boolean;
  find(peer: string | null, forwardedFor: string | null): string | null;
}

/** What every page of the console works with; pages that need more extend it. */
export interface OpsDeps {
  readonly db: Database;
  readonly log: Log;
  readonly now: () => Date;
  readonly config: Config;
  readonly secrets: Secrets;
  readonly assets: Assets;
  readonly redis: Redis | undefined;
  readonly clientAddress: ClientAddress;
}
