/**
 * Lets asynchronous work run one after the other, in the order it was asked for.
 * A failed turn fails alone; the next one starts all the same.
 */
export function takeTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
