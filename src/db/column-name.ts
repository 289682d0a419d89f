import { toSnakeCase } from "drizzle-orm/casing";

const known = new Map<string, string>();

/** A column's name by its key, as Drizzle would write it; remembered, for every batch of rows asks for all of them. */
export function columnName(key: string): string {
  let name = known.get(key);
  if (name === undefined) {
    name = toSnakeCase(key);
    known.set(key, name);
  }
  return name;
}
