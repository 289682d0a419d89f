import { AsyncLocalStorage } from "node:async_hooks";
import { newId } from "./ids.ts";

/** What a proxy may hand us as a request's id: nothing that could break a log line or a header. */
const WELL_FORMED = /^[\w.:-]{8,128}$/;

/** A request, and whether who sent it to us is a proxy of ours. */
interface RequestScope {
  readonly request: Request;
  isFromProxy(): boolean;
}

const ids = new WeakMap<Request, string>();

/** Which request the running code works for. Ambient by nature: it saves every function below a parameter. */
const current = new AsyncLocalStorage<RequestScope>();

/**
 * The id that a request's log lines and problems share: the `X-Request-Id` of a trusted proxy where it is well
 * formed, else one of our own. Made when it is first asked for: most requests never need one.
 */
export function requestIdOf({ request, isFromProxy }: RequestScope): string {
  let id = ids.get(request);
  if (id === undefined) {
    const given = request.headers.get("x-request-id");
    id = given !== null && WELL_FORMED.test(given) && isFromProxy() ? given : newId();
    ids.set(request, id);
  }
  return id;
}

/** From here on, what is logged by this request's code carries its id. */
export function enterRequest(scope: RequestScope): void {
  current.enterWith(scope);
}

/** The id of the request that the running code works for; undefined outside of one. */
export function currentRequestId(): string | undefined {
  const scope = current.getStore();
  return scope && requestIdOf(scope);
}

/** The same function, but never part of the request whose code happens to call it. */
export function outsideRequests<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  return (...args) => current.exit(() => work(...args));
}
