import type { Database } from "../db/database.ts";
import { type Replay, replay, type Selection } from "../outbox/replay.ts";
import { recordAudit } from "./audit-log.ts";

/** A replay that an operator asked for. */
interface AskedReplay {
  readonly action: Replay;
  readonly selection: Selection;
  readonly actor: string;
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * `replay`, with who asked for it in the audit log. Of chosen rows, what was changed is written down in the same
 * transaction. All that a filter matches takes many: that it began stands there with the first rows changed, and how
 * many it came to at its end, also where it was stopped or failed; where the end is missing, the process died on it.
 */
export async function auditedReplay(
  db: Database,
  now: () => Date,
  { action, selection, actor, onProgress, signal }: AskedReplay,
): Promise<number> {
  const entry = (name: string, after: object) => ({
    at: now(),
    actor,
    action: name,
    subject: "outbox",
    after,
  });
  const stop = signal && { signal };
  if ("ids" in selection) {
    return replay(db, action, selection, {
      ...stop,
      ...(onProgress && { onProgress }),
      record: (tx, ids) => recordAudit(tx, db.tables, entry(`outbox.${action}`, { ids, rows: ids.length })),
    });
  }
  let rows = 0;
  const end = (how: object) =>
    db.transaction((tx) =>
      recordAudit(tx, db.tables, entry(`outbox.${action}`, { ...selection, rows, ...how })),
    );
  try {
    await replay(db, action, selection, {
      ...stop,
      async record(tx) {
        if (rows === 0) await recordAudit(tx, db.tables, entry(`outbox.${action}.started`, selection));
      },
      onProgress(done) {
        rows = done;
        onProgress?.(done);
      },
    });
  } catch (error) {
    // What failed first is what the operator hears of; that it began stands in the log without an end.
    await end({ failed: true }).catch(() => undefined);
    throw error;
  }
  if (rows > 0) await end(signal?.aborted ? { stopped: true } : {});
  return rows;
}
