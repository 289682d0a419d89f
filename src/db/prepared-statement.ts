import { Placeholder, type SQL } from "drizzle-orm";
import type { Dialect } from "./dialect.ts";

/** What one run of a prepared statement puts in place of its `sql.placeholder(name)`, by name. */
export type PlaceholderValues = Readonly<Record<string, string | number | null>>;

/**
 * A statement that runs often: its text is made once for each dialect, and `rows`, given its values, prepares it once.
 * Where it has none, as `{}`, Postgres' driver sends the text alone, and the server plans it anew each time. The look for
 * waiting routes needs that: a plan made while the outbox was empty would read through whatever comes.
 */
export function preparedStatement(make: (dialect: Dialect) => SQL): (dialect: Dialect) => SQL {
  return memoized(make);
}

/** A function that remembers its answers. */
export function memoized<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

/** A statement's parameters with the values in their places. @throws Error where one is missing */
export function fillPlaceholders(parameters: readonly unknown[], values: PlaceholderValues): unknown[] {
  return parameters.map((parameter) => {
    if (!(parameter instanceof Placeholder)) return parameter;
    const value = values[parameter.name];
    if (value === undefined) throw new Error(`the statement has no value for "${parameter.name}"`);
    return value;
  });
}
