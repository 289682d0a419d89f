/** The same answer for `ms` milliseconds, and one question at a time however many ask. A failure is not kept. */
export function cached<T>(
  ms: number,
  ask: () => Promise<T>,
  uptimeMs = () => performance.now(),
): () => Promise<T> {
  let asking: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (asking && uptimeMs() < until) return asking;
    const answer = ask();
    asking = answer;
    until = Number.POSITIVE_INFINITY;
    answer.then(
      () => {
        if (asking === answer) until = uptimeMs() + ms;
      },
      () => {
        if (asking === answer) asking = undefined;
      },
    );
    return answer;
  };
}
