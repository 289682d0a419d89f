import { type AskedPage, LARGEST_PAGE, type Page } from "../platform/pagination.ts";

/** Every item of a list that comes in pages, for lists that a person can read to the end. */
export async function allPages<T>(read: (page: AskedPage) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let page = await read({ limit: LARGEST_PAGE });
  items.push(...page.items);
  while (page.next_cursor !== null) {
    page = await read({ limit: LARGEST_PAGE, cursor: Number(page.next_cursor) });
    items.push(...page.items);
  }
  return items;
}
