import type { Bench } from "./case.ts";
import { figure } from "./report.ts";

/** The two that take turns; each call measures once. */
interface Sides {
  ours(): Promise<number>;
  yardstick(): Promise<number>;
}

/**
 * Lets both sides take turns, so that a busy minute of the machine hits both. Who begins changes from round to round.
 * Says each round's two figures, in the case's own unit.
 */
export async function takeTurns(
  { effort, say }: { readonly effort: Pick<Bench["effort"], "rounds">; readonly say: Bench["say"] },
  sides: Sides,
): Promise<{ ours: number[]; yardstick: number[] }> {
  const ours: number[] = [];
  const yardstick: number[] = [];
  for (let round = 1; round <= effort.rounds; round++) {
    if (round % 2 === 0) yardstick.push(await sides.yardstick());
    ours.push(await sides.ours());
    if (round % 2 === 1) yardstick.push(await sides.yardstick());
    const figures = [ours, yardstick].map((side) => figure(side.at(-1) ?? 0));
    say(`round ${round} of ${effort.rounds}: ${figures.join(" of ")}`);
  }
  return { ours, yardstick };
}
