import type { Kit } from "../postgres/kit.ts";

/** When a row was made and last changed. */
export function timesOf({ instant }: Kit) {
  return () => ({ createdAt: instant().notNull(), updatedAt: instant().notNull() });
}
