import { z } from "zod";
import type { Spool } from "../db/spool/spool.ts";
import { LOCALES, STRATEGIES } from "../db/vocabulary.ts";
import { parseJson } from "../platform/json.ts";
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

/**
 * Keeps the last known pools in the spool's file: a process that starts during an outage still serves them. Those of the
 * same `place` before all others, for databases may share the file by mistake; the last of all where that is new.
 */
export function spoolSnapshot(spool: Spool, place: string): PoolSnapshot {
  const ownNote = `${NOTE} of ${place}`;
  return {
    load() {
      const note = spool.note(ownNote) ?? spool.note(NOTE);
      if (note === null) return [];
      // A snapshot of another version's form is worth nothing; the database will be asked anyway. Read once a start, so a
      // parser compiled for it would not pay.
      const parsed = z.array(poolSchema).safeParse(parseJson(note), { jitless: true });
      return parsed.success ? parsed.data : [];
    },
    save(pools) {
      const text = JSON.stringify(pools);
      for (const note of [ownNote, NOTE]) spool.setNote(note, text);
    },
  };
}
