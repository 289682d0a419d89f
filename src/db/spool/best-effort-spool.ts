import type { Log } from "../../platform/log.ts";
import type { Spool } from "./spool.ts";

/** A spool for whoever can do without it: what cannot be read is not there, and the log says so once. */
export function bestEffortSpool(spool: Spool, log: Log): Spool {
  let isSaid = false;
  const or =
    <A extends unknown[], T>(work: (...args: A) => T, instead: T) =>
    (...args: A): T => {
      try {
        return work(...args);
      } catch (error) {
        const todo = "See to the data folder's disk, then restart Ponte: it moves a damaged spool aside.";
        if (!isSaid) log.error({ error, todo }, "the spool cannot be read; Ponte goes on without it");
        isSaid = true;
        return instead;
      }
    };
  return {
    ...spool,
    oldest: or(spool.oldest, []),
    ofOthers: or(spool.ofOthers, []),
    find: or(spool.find, null),
    wasForgotten: or(spool.wasForgotten, false),
    forgotten: or(spool.forgotten, []),
    count: or(spool.count, 0),
    counts: or(spool.counts, { waiting: 0, setAside: 0 }),
    note: or(spool.note, null),
    setNote: or(spool.setNote, undefined),
  };
}
