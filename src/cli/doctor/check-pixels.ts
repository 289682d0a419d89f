import { existsSync } from "node:fs";
import { join } from "node:path";
import { asc, eq } from "drizzle-orm";
import type { Config } from "../../config.ts";
import type { PoolRow } from "../../pools/pool-view.ts";
import { checkPoolPixel, pixelCredential } from "../../pools/try-pixel.ts";
import { bad, type Finding, good, warning } from "./finding.ts";
import type { OutsideDeps } from "./outside-deps.ts";

/** What the SQLite file is called in `DATA_DIR` unless DATABASE_URL says otherwise. */
const SQLITE_NAME = "ponte.db";

/** Whether each pool's token opens and reaches its pixel. */
export async function checkPixels(deps: OutsideDeps): Promise<Finding[]> {
  const { pools } = deps.db.tables;
  const rows = await deps.db.select().from(pools).where(eq(pools.enabled, true)).orderBy(asc(pools.id));
  if (rows.length === 0) {
    return [
      warning("pools", "there is none", `Make one: bun run ponte pool add --help${leftBehind(deps.config)}`),
    ];
  }
  const findings = await Promise.all(rows.map((row) => poolFindings(deps, row)));
  return findings.flat();
}

/** Whoever points DATABASE_URL at a Postgres may take it for the same database with another engine. */
function leftBehind({ sqliteFile, dataDir }: Config): string {
  const path = join(dataDir, SQLITE_NAME);
  if (sqliteFile !== null || !existsSync(path)) return "";
  return `. ${path} is another database, whose pools and bots do not come along by themselves: see bun run ponte move --help.`;
}

async function poolFindings(deps: OutsideDeps, pool: PoolRow): Promise<Finding[]> {
  const check = checkOf(pool);
  if (!pool.metaTrackingEnabled || pool.metaPixelId === null) {
    return [good(check, "sends nothing to Meta: no pixel, or tracking is off")];
  }
  const testing =
    pool.metaTestEventCode === null
      ? []
      : [
          warning(
            check,
            `its test code ${pool.metaTestEventCode} is set: its events show under Test events as well, and Meta still counts them`,
            `bun run ponte pool update ${pool.slug} --test-event-code ""`,
          ),
        ];
  return [...testing, await credentialFinding(deps, pool, pool.metaPixelId)];
}

async function credentialFinding(
  { secrets, config, isOnline }: OutsideDeps,
  pool: PoolRow,
  pixelId: string,
): Promise<Finding> {
  const check = checkOf(pool);
  const newToken = `bun run ponte pool update ${pool.slug} --access-token -`;
  const { meta } = config;
  const found = isOnline ? await checkPoolPixel({ secrets, meta }, pool) : pixelCredential(secrets, pool);
  switch (found.kind) {
    case "no_pixel":
    case "no_token":
      return bad(check, "it has a pixel and no access token", newToken);
    case "sealed":
      return bad(check, found.reason, newToken);
    case "ready":
      return good(check, `pixel ${pixelId}, its token opens (Meta was not asked)`);
    case "reached":
      return good(
        check,
        `its token reaches pixel ${pixelId}${found.name === null ? "" : ` (${found.name})`}`,
      );
    case "refused":
      return bad(check, `Meta refuses its token: ${found.reason}`, newToken);
    case "unreadable":
      return warning(
        check,
        `its token may not read pixel ${pixelId}: ${found.reason}`,
        "A token made for the Conversions API alone may still send. Send a test event from the console to be sure.",
      );
    case "misaddressed":
      return bad(
        check,
        `Meta is asked in a way that it does not know: ${found.reason}`,
        "The token is not to blame. Correct META_GRAPH_VERSION or META_GRAPH_URL.",
      );
    case "unanswered":
      return bad(
        check,
        `Meta did not answer: ${found.reason}`,
        `Check the way to ${meta.graphUrl} (META_GRAPH_URL).`,
      );
  }
}

function checkOf({ slug }: PoolRow): string {
  return `pool ${slug}`;
}
