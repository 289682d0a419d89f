// Beyond 10080, which browsers refuse (Fetch standard, "bad port").
const FIRST = 10_100;
const LAST = 30_000;

const socket = { data: () => undefined };

/** Tests that run side by side begin anywhere. */
let next = FIRST + Math.floor(Math.random() * (LAST - FIRST));

/**
 * A port that nobody listens on, and that is given out once while this process lives, by whichever process (on Linux). None
 * of those that the system gives to connections: until a server listens there, or while it is down, one of its own clients
 * might be given it.
 */
export function freePort(): number {
  for (;;) {
    const port = next++;
    if (next > LAST) next = FIRST;
    if (isFree(port) && take(port)) return port;
  }
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket }).stop(true);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether the port is this process' own from now on, by a name in Linux' abstract namespace: it goes with the process, and is
 * no file. Other systems know none, and there two processes that look at the same moment may find the same port.
 */
function take(port: number): boolean {
  if (process.platform !== "linux") return true;
  try {
    Bun.listen({ unix: `\0ponte-port-${port}`, socket }).unref();
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) console.log(freePort());
