import { breathe } from "../platform/breathe.ts";

/** Work that somebody waits for, and work that can wait. */
type Lane = "front" | "back";

/**
 * Lets asynchronous work run one after the other: in the order in which it was asked for, but the two lanes by turns
 * where both wait, so that nobody in front waits for more than one piece of work that can. After each of those the
 * process has time for whoever came meanwhile. A failed turn fails alone; the next one starts all the same.
 */
export function takeTurns(): <T>(work: () => Promise<T>, lane?: Lane) => Promise<T> {
  const waiting: Record<Lane, (() => Promise<void>)[]> = { front: [], back: [] };
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    let last: Lane = "back";
    for (;;) {
      const preferred: Lane = last === "back" ? "front" : "back";
      const lane: Lane = waiting[preferred].length > 0 ? preferred : last;
      const turn = waiting[lane].shift();
      if (!turn) break;
      await turn();
      if (lane === "back") await breathe();
      last = lane;
    }
    isRunning = false;
  }

  return (work, lane = "front") =>
    new Promise((resolve, reject) => {
      waiting[lane].push(() => work().then(resolve, reject));
      if (!isRunning) void run();
    });
}
