import type { ReplayJob } from "../../../views/ops/outbox-data.ts";
import type { OutboxFilter } from "../../outbox/filter.ts";
import type { Replay } from "../../outbox/replay.ts";
import { newId } from "../../platform/ids.ts";
import { auditedReplay } from "../../pools/audited-replay.ts";
import type { OpsDeps } from "../deps.ts";

/** Jobs that one may still look at; the audit log has them all. */
const MOST_KEPT = 20;

/** Changes of all that a filter matches, which go on after the form was answered. */
interface ReplayJobs {
  /** Begins one and answers its id. `total` is what was counted when it was asked for. */
  start(job: {
    readonly action: Replay;
    readonly filter: OutboxFilter;
    readonly actor: string;
    readonly total: number | null;
  }): string;
  /** How far it is; null for one of another process, or of long ago. */
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
      const oldest = jobs.keys().next().value;
      if (jobs.size > MOST_KEPT && oldest !== undefined) jobs.delete(oldest);
      const show = (job: ReplayJob) => {
        if (jobs.has(id)) jobs.set(id, job);
      };
      const { signal } = stopping;
      const onProgress = (doneByNow: number) => {
        done = doneByNow;
        show({ state: "running", action, done, total });
      };
      const work = auditedReplay(db, now, { action, selection: { filter }, actor, onProgress, signal }).then(
        () => show({ state: signal.aborted ? "stopped" : "finished", action, done }),
        (error) => {
          log.error({ error, action, todo: db.advice(error) }, "a change of many events failed half way");
          show({ state: "failed", action, done });
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
