import { resolve } from "node:path";
import { z } from "zod";
import type { Config } from "../config.ts";
import type { Spool } from "../db/spool/spool.ts";
import { LOCALES, STRATEGIES } from "../db/vocabulary.ts";
import { sha256Hex } from "../platform/digests.ts";
import { parseJson } from "../platform/json.ts";
import type { Pool } from "./pool.ts";
import type { PoolSnapshot } from "./pool-cache.ts";

const NOTE = "pools";

const poolSchema = z.object({
  id: z.number(),
  // One of an earlier version says nothing of it.
  database: z.string().nullable().default(null),
  slug: z.string(),
  name: z.string(),
  strategy: z.enum(STRATEGIES),
  locale: z.enum(LOCALES).nullable(),
  autoContinueMs: z.number().nullable(),
  captureParams: z.array(z.string()),
  metaPixelId: z.string().nullable(),
  metaTestEventCode: z.string().nullable(),
  utmifyPixelId: z.string().nullable(),
  gate: z.object({
    param: z.object({ name: z.string(), value: z.string() }).nullable(),
    blockAutomated: z.boolean(),
  }),
  bots: z.array(
    z.object({
      poolBotId: z.number(),
      botId: z.number(),
      username: z.string(),
      weight: z.number(),
      totalRedirects: z.number(),
    }),
  ),
});
const poolsSchema = z.array(poolSchema);
const leftSchema = z.object({ state: z.string(), pools: poolsSchema });

/** The last known pools in the spool's file, and those that are known to be the database's still. */
export interface SpoolSnapshot extends PoolSnapshot {
  /** Notes that these are the pools of the database's file in that state (see `fileState`). */
  leave(pools: readonly Pool[], state: string): void;
  /** The pools that were noted of the file in that state; none where it was in another one. */
  asLeft(state: string): readonly Pool[];
}

/**
 * Keeps the last known pools in the spool's file: a process that starts during an outage still serves them. Those of the
 * same `place` before all others, for databases may share the file by mistake; the last of all where that is new.
 */
export function spoolSnapshot(spool: Pick<Spool, "note" | "setNote">, place: string): SpoolSnapshot {
  const ownNote = `${NOTE} of ${place}`;
  const leftNote = `${NOTE} left in ${place}`;
  return {
    load: () => parse(poolsSchema, spool.note(ownNote) ?? spool.note(NOTE)) ?? [],
    save(pools) {
      const text = JSON.stringify(pools);
      for (const note of [ownNote, NOTE]) spool.setNote(note, text);
    },
    // In one note: of two, one could be written and the other not.
    leave: (pools, state) => spool.setNote(leftNote, JSON.stringify({ state, pools })),
    asLeft(state) {
      const left = parse(leftSchema, spool.note(leftNote));
      return left?.state === state ? left.pools : [];
    },
  };
}

/** A note of another version's form is worth nothing; the database will be asked anyway. */
function parse<T>(schema: z.ZodType<T>, note: string | null): T | null {
  if (note === null) return null;
  // Read once a start, so a parser compiled for it would not pay.
  const parsed = schema.safeParse(parseJson(note), { jitless: true });
  return parsed.success ? parsed.data : null;
}

/** Tells a database from others before it answers. Digested, since an address may hold a password. */
export function databaseDigest({ database, sqliteFile }: Pick<Config, "database" | "sqliteFile">): string {
  return sha256Hex(sqliteFile === null ? database.url : resolve(sqliteFile));
}
