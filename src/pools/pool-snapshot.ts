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

/** The last known pools in the spool's file, and whether they are still the database's. */
export interface SpoolSnapshot extends PoolSnapshot {
  /** Notes that these are the pools of the database's file in that state (see `fileState`). */
  leave(state: string): void;
  /** The pools, where they are known to be those of the file in that state; none otherwise. */
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
    load: () => parsePools(spool.note(ownNote) ?? spool.note(NOTE)),
    save(pools) {
      const text = JSON.stringify(pools);
      for (const note of [ownNote, NOTE]) spool.setNote(note, text);
    },
    leave: (state) => spool.setNote(leftNote, state),
    asLeft: (state) => (spool.note(leftNote) === state ? parsePools(spool.note(ownNote)) : []),
  };
}

/** A snapshot of another version's form is worth nothing; the database will be asked anyway. */
function parsePools(note: string | null): readonly Pool[] {
  if (note === null) return [];
  // Read once a start, so a parser compiled for it would not pay.
  const parsed = z.array(poolSchema).safeParse(parseJson(note), { jitless: true });
  return parsed.success ? parsed.data : [];
}

/** Tells a database from others before it answers. Digested, since an address may hold a password. */
export function databaseDigest({ database, sqliteFile }: Pick<Config, "database" | "sqliteFile">): string {
  return sha256Hex(sqliteFile === null ? database.url : resolve(sqliteFile));
}
