// Beyond 10080, which browsers refuse (Fetch standard, "bad port").
const FIRST = 10_100;
const LAST = 30_000;

/** Tests that run side by side begin anywhere. */
let next = FIRST + Math.floor(Math.random() * (LAST - FIRST));

/**
 * A port that nobody listens on, and that is given out once by this process. None of those that the system gives to
 * connections: until a server listens there, or while it is down, one of its own clients might be given it.
 */
export function freePort(): number {
  for (;;) {
    const port = next++;
    if (next > LAST) next = FIRST;
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => undefined } }).stop(true);
      return port;
    } catch {
      // Somebody listens there.
    }
  }
}

if (import.meta.main) console.log(freePort());
