/** How often each number stands among them; of those places alone that `counts` is true of. */
export function countEach(
  ids: readonly number[],
  counts: (index: number) => boolean = () => true,
): Map<number, number> {
  const totals = new Map<number, number>();
  ids.forEach((id, i) => {
    if (counts(i)) totals.set(id, (totals.get(id) ?? 0) + 1);
  });
  return totals;
}
