/**
 * What became of requests for /go, as plain numbers: counting one is an addition, and nobody looks anything up. The
 * metrics read them when they are asked for.
 */
export interface VisitTallies {
  /** Accepted, and shown the bridge page. */
  page: number;
  /** Accepted, and sent straight on to the bot. */
  redirect: number;
  refusedParam: number;
  refusedAutomated: number;
  rateLimited: number;
  notFound: number;
  /** Nothing could be served: no bot, a full queue, or pools that were never read. */
  unavailable: number;
  /** HEAD and prefetch: nobody has come yet. */
  lookedAhead: number;
  committed: number;
  spooled: number;
  /** Neither database nor disk took it; the log is all that is left. */
  lost: number;
}

export function newVisitTallies(): VisitTallies {
  return {
    page: 0,
    redirect: 0,
    refusedParam: 0,
    refusedAutomated: 0,
    rateLimited: 0,
    notFound: 0,
    unavailable: 0,
    lookedAhead: 0,
    committed: 0,
    spooled: 0,
    lost: 0,
  };
}
