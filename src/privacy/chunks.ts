/** Rows asked for, or changed, in one statement. */
const CHUNK = 200;

/** The items so many at a time. */
export function chunksOf<T>(items: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < items.length; i += CHUNK) chunks.push(items.slice(i, i + CHUNK));
  return chunks;
}

/** Asks for items chunk by chunk, one after the other; resolves to all answers together. */
export async function inChunks<T, R>(
  items: readonly T[],
  ask: (chunk: T[]) => PromiseLike<readonly R[]>,
): Promise<R[]> {
  const results: R[] = [];
  for (const chunk of chunksOf(items)) results.push(...(await ask(chunk)));
  return results;
}
