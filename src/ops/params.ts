import { z } from "zod";
import type { Piece } from "../../views/ops/list-data.ts";
import { type AskedPage, PAGE_SIZE, type Page } from "../platform/pagination.ts";

/** A row's number as text. */
export const rowId = z
  .string()
  .regex(/^[1-9]\d{0,14}$/)
  .transform(Number);

/** What has the number in an address; null where that is no number, or nothing has it. */
export async function findById<T>(given: string, find: (id: number) => Promise<T | null>): Promise<T | null> {
  const id = rowId.safeParse(given);
  return id.success ? find(id.data) : null;
}

/** What was asked for of a list, with its lines as the page shows them. */
export function pieceOf<T>(asked: AskedPage, { next_cursor }: Page<unknown>, lines: readonly T[]): Piece<T> {
  return { lines, next: next_cursor, isFirst: asked.cursor === undefined };
}

/** Reads where a list goes on; what is no cursor leads to its beginning. */
export function askedPage({ cursor }: { readonly cursor?: unknown }): AskedPage {
  return { cursor: rowId.safeParse(cursor).data, limit: PAGE_SIZE };
}
