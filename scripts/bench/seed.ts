import type { Database } from "../../src/db/database.ts";
import { ensureOperatorPassword } from "../../src/ops/auth/password.ts";
import { newId } from "../../src/platform/ids.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { loadPools } from "../../src/pools/load-pools.ts";
import { createPool } from "../../src/pools/manage-pools.ts";
import type { Pool, PoolBot } from "../../src/pools/pool.ts";
import { poolDraftSchema } from "../../src/pools/pool-rules.ts";
import { captureVisit } from "../../src/redirect/capture.ts";
import { parseQuery } from "../../src/redirect/query.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import { BENCH_SECRET } from "./servers/ponte.ts";

/** The pool that all load goes to, with a pixel, a listed parameter and one bot. */
export const OPEN_PATH = "/go/bench";
/** The same behind the gate. */
export const GATED_PATH = "/go/gated";
export const BOT = "ponte_bench_bot";
export const PIXEL = "1234567890123456";

/** Adds the benchmark's pools, and the console's password, which a server would otherwise make at its first start. */
export async function seedPools(db: Database): Promise<void> {
  await ensureOperatorPassword(db, { operatorPassword: undefined });
  const deps = { db, secrets: createSecrets(new Uint8Array(BENCH_SECRET)), now: () => new Date() };
  const pool = {
    name: "Black Friday",
    meta_pixel_id: PIXEL,
    meta_access_token: `EAAbench${newId()}`,
    capture_params: ["ad_id"],
    bots: [{ username: BOT }],
  };
  const gate = { meta_cloaker_param_name: "grim", meta_cloaker_param_value: "not-in-the-request" };
  for (const draft of [
    { ...pool, slug: "bench" },
    { ...pool, ...gate, slug: "gated" },
  ]) {
    const created = await createPool(deps, "benchmark", poolDraftSchema.parse(draft));
    if (created.kind !== "created") throw new Error(`the pool ${draft.slug} was not made: ${created.kind}`);
  }
}

const BATCH = 1_000;

/**
 * Writes visits as the server itself would, by its own code.
 *
 * @param holdMs how long their PageViews wait
 * @returns their tracking tokens, oldest first
 */
export async function seedVisits(db: Database, count: number, holdMs: number): Promise<string[]> {
  const visitsFrom = await visitMaker(db, holdMs);
  const tokens: string[] = [];
  while (tokens.length < count) {
    const visits = visitsFrom(tokens.length, Math.min(BATCH, count - tokens.length));
    await db.transaction((tx) => recordVisits(tx, db.tables, visits));
    for (const { trackingToken } of visits) tokens.push(trackingToken);
  }
  return tokens;
}

/** Visits of the seeded pool, not yet written: `count` of them from the number `first` on. */
export async function visitMaker(
  db: Database,
  holdMs: number,
): Promise<(first: number, count: number) => VisitRecord[]> {
  const { pool, bot } = await benchPool(db);
  return (first, count) => Array.from({ length: count }, (_, i) => visitNumber(first + i, pool, bot, holdMs));
}

async function benchPool(db: Database): Promise<{ pool: Pool; bot: PoolBot }> {
  const pool = (await loadPools(db)).find(({ slug }) => slug === "bench");
  const bot = pool?.bots[0];
  if (!pool || !bot) throw new Error("seedPools comes first");
  return { pool, bot };
}

function visitNumber(n: number, pool: Pool, bot: PoolBot, holdMs: number) {
  const query = `fbclid=IwZXh0bgNhZW0BMABhZGlkAasT${newId()}_aem_Q2xpY2tJZFdpdGhBUmVhbGlzdGljTGVuZ3RoMDEyMw&utm_source=facebook&utm_medium=paid_social&utm_campaign=black-friday-2025&utm_content=video%2003&utm_term=lookalike%201%25&ad_id=120210987654321`;
  return captureVisit(
    {
      subdomainIndex: 1,
      url: `https://go.example.com${OPEN_PATH}?${query}`,
      query: parseQuery(query),
      cookies: null,
      userAgent:
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0.0.31.105]",
      referrer: "https://l.facebook.com/",
      clientIp: `177.45.${n % 256}.${(n % 250) + 1}`,
    },
    pool,
    bot,
    { trackingToken: newId(), nowMs: Date.now(), holdMs, consentDenied: "drop" },
  ).record;
}
