/** What a request for some rows came to, as far as the search for bad ones goes. */
export type Reply =
  | { readonly kind: "delivered" }
  /** Some of the rows are bad. `suspects`: places of those that look it; a good guess saves requests, a bad one costs few. */
  | { readonly kind: "refused"; readonly suspects: readonly number[] }
  /** The rows are not to blame: asking on would help nobody. */
  | { readonly kind: "stop" };

interface Group<T> {
  readonly rows: readonly T[];
  /** The other half of a refused group, still to be asked. */
  readonly twin?: Group<T>;
  /** The whole was refused and the other half delivered: there is no need to ask this one as a whole. */
  holdsBad: boolean;
}

/**
 * Sends rows that go together, and sends them apart where they are refused, until each bad one stands alone. `ask`
 * sends a group, and settles it unless it is a refused one of several rows. One bad row among n costs at most
 * 2·log2(n) requests more, two where it is suspected rightly. Answers the rows that were not asked for after a stop.
 *
 * @param stillOurs those of a group that are to be sent when its turn comes
 */
export async function isolate<T>(
  all: readonly T[],
  ask: (rows: readonly T[]) => Promise<Reply>,
  stillOurs: (rows: readonly T[]) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const waiting: Group<T>[] = [{ rows: all, holdsBad: false }];
  for (let group = waiting.pop(); group; group = waiting.pop()) {
    if (group.holdsBad && group.rows.length > 1) {
      waiting.push(...halves(group.rows, []));
      continue;
    }
    const rows = await stillOurs(group.rows);
    if (rows.length === 0) continue;
    const reply = await ask(rows);
    switch (reply.kind) {
      case "delivered":
        if (group.twin) group.twin.holdsBad = true;
        break;
      case "refused":
        if (rows.length > 1) waiting.push(...halves(rows, reply.suspects));
        break;
      case "stop":
        return waiting.flatMap((left) => left.rows);
    }
  }
  return [];
}

/** Two groups, the one to ask first last: those that look good and the suspects, or the first half and the second. */
function halves<T>(rows: readonly T[], suspects: readonly number[]): [Group<T>, Group<T>] {
  const suspected = new Set(suspects);
  const isGuess = suspected.size > 0 && suspected.size < rows.length;
  const middle = Math.ceil(rows.length / 2);
  const isSecond = (place: number) => (isGuess ? suspected.has(place) : place >= middle);
  const second: Group<T> = { rows: rows.filter((_, place) => isSecond(place)), holdsBad: false };
  return [second, { rows: rows.filter((_, place) => !isSecond(place)), twin: second, holdsBad: false }];
}
