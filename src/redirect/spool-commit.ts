import { createGroupCommit } from "../db/group-commit.ts";
import type { Spool } from "../db/spool/spool.ts";
import { encodeVisit } from "./visit-json.ts";
import type { VisitRecord } from "./visit-record.ts";

/** Keeps visits in the spool: those that arrive together share a commit. */
export function createSpoolCommit(spool: Pick<Spool, "append">) {
  return createGroupCommit<VisitRecord>({
    write: async (visits) =>
      spool.append(visits.map((visit) => ({ key: visit.trackingToken, body: encodeVisit(visit) }))),
    isRowFault: () => false,
    // The spool is written by the thread that reads requests.
    targetBatch: Number.POSITIVE_INFINITY,
  });
}
