import { yieldToEventLoop } from "../../platform/yield-to-event-loop.ts";

/** Whose work it is: this thread's, which somebody waits for, or which can wait; or another thread's. */
type Kind = "here" | "whenever" | "elsewhere";

/**
 * Runs asynchronous work one piece at a time, in the order in which it was asked for. What can wait takes turns with what
 * cannot, so that nobody waits for more than one piece that can. After each piece on this thread the event loop has a turn.
 * A piece that fails fails alone.
 */
export function createFairQueue(): <T>(work: () => Promise<T>, kind: Kind) => Promise<T> {
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
      if (turn.kind !== "elsewhere") await yieldToEventLoop();
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
