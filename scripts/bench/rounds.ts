/** The two that take turns; each call measures once. */
interface Sides {
  ours(): Promise<number>;
  yardstick(): Promise<number>;
}

/**
 * Lets both sides take turns, so that a busy minute of the machine hits both. Who begins changes from round to round.
 *
 * @param onRound told of each round's two figures
 */
export async function takeTurns(
  rounds: number,
  sides: Sides,
  onRound: (round: number, ours: number, yardstick: number) => void = () => undefined,
): Promise<{ ours: number[]; yardstick: number[] }> {
  const ours: number[] = [];
  const yardstick: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    if (round % 2 === 0) yardstick.push(await sides.yardstick());
    ours.push(await sides.ours());
    if (round % 2 === 1) yardstick.push(await sides.yardstick());
    onRound(round, ours.at(-1) ?? 0, yardstick.at(-1) ?? 0);
  }
  return { ours, yardstick };
}
