import type { Kit } from "../kit-postgres.ts";

/** When a row was made and last changed. */
export function timesOf({ instant }: Kit) {
  return () => ({ createdAt: instant().notNull(), updatedAt: instant().notNull() });
}
