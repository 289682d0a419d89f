import { breathe } from "../../platform/breathe.ts";

/** Whose work it is: this thread's, which somebody waits for, or which can wait; or another thread's. */
type Kind = "here" | "whenever" | "elsewhere";

/**
 * Lets asynchronous work run one after the other in the order in which it was asked for; but what can wait and what
 * cannot take turns where both are there, so that nobody waits for more than one piece of work that can. After each piece
 * that kept this thread busy it has time for whoever came meanwhile. A failed turn fails alone; the next one starts all
 * the same.
 */
export function takeTurns(): <T>(work: () => Promise<T>, kind: Kind) => Promise<T> {
  const front: Turn[] = [];
  const back: Turn[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    let last = back;
    for (;;) {
      const preferred = last === back ? front : back;
      last = preferred.length > 0 ? preferred : last;
      const turn = last.shift();
      if (!turn) break;
      await turn.take();
      if (turn.kind !== "elsewhere") await breathe();
    }
    isRunning = false;
  }

  return (work, kind) =>
    new Promise((resolve, reject) => {
      const lane = kind === "whenever" ? back : front;
      lane.push({ kind, take: () => work().then(resolve, reject) });
      if (!isRunning) void run();
    });
}

interface Turn {
  readonly kind: Kind;
  take(): Promise<void>;
}
