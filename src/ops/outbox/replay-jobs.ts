import type { EndedJob, ReplayJob } from "../../../views/ops/outbox-data.ts";
import { auditedReplay } from "../../audit/audited-replay.ts";
import type { OutboxFilter } from "../../outbox/filter.ts";
import type { Replay } from "../../outbox/replay.ts";
import { newId } from "../../platform/ids.ts";
import type { OpsDeps } from "../deps.ts";

/** Ended jobs that one may still look at; the audit log has them all. */
const MOST_ENDED = 20;

/** Changes of all that a filter matches, which go on after the form was answered. */
interface ReplayJobs {
  /** Begins one and answers its id. `total` is what was counted when it was asked for. */
  start(job: {
    readonly action: Replay;
    readonly filter: OutboxFilter;
    readonly actor: string;
    readonly total: number | null;
  }): string;
  /** How far it is; null for one of another process, or after which many others have ended. */
  find(id: string): ReplayJob | null;
  /** Ends what runs after the batch in hand; resolves when it has. */
  stop(): Promise<void>;
}

/** The jobs of this process: the work is safe without them, batch by batch, and the audit log says how it ended. */
export function createReplayJobs({ db, log, now }: Pick<OpsDeps, "db" | "log" | "now">): ReplayJobs {
  const jobs = new Map<string, ReplayJob>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();

  return {
    start({ action, filter, actor, total }) {
      const id = newId();
      let done = 0;
      jobs.set(id, { state: "running", action, done, total });
      const end = (state: EndedJob["state"]) => {
        // Taken out first: they stand in the order in which they ended.
        jobs.delete(id);
        jobs.set(id, { state, action, done });
        const ended = [...jobs.keys()].filter((key) => jobs.get(key)?.state !== "running");
        for (const forgotten of ended.slice(0, -MOST_ENDED)) jobs.delete(forgotten);
      };
      const { signal } = stopping;
      const onProgress = (doneByNow: number) => {
        done = doneByNow;
        jobs.set(id, { state: "running", action, done, total });
      };
      const work = auditedReplay(db, now, { action, selection: { filter }, actor, onProgress, signal }).then(
        () => end(signal.aborted ? "stopped" : "finished"),
        (error) => {
          log.error({ error, action, todo: db.advice(error) }, "a change of many events failed half way");
          end("failed");
        },
      );
      running.add(work);
      work.then(() => running.delete(work));
      return id;
    },
    find: (id) => jobs.get(id) ?? null,
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
