import { Placeholder, type SQL } from "drizzle-orm";
import type { Dialect } from "./dialect.ts";

/** What one run of a kept statement puts in place of its `sql.placeholder(name)`, by name. */
export type Values = Readonly<Record<string, string | number | null>>;

/**
 * A statement that runs so often that its text is made once for each dialect, and what the database prepared for it is
 * kept. Run it by `rows` with its values, of which there may be none: then Postgres' driver sends the text
 * alone, and the server plans it anew each time, as the look for waiting routes needs: made while the outbox was empty,
 * a plan that is kept would read through whatever comes.
 */
export function keptStatement(make: (dialect: Dialect) => SQL): (dialect: Dialect) => SQL {
  return onceEach(make);
}

/** A function that remembers its answers. */
export function onceEach<K extends object, V>(make: (key: K) => V): (key: K) => V {
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
export function filled(parameters: readonly unknown[], values: Values): unknown[] {
  return parameters.map((parameter) => {
    if (!(parameter instanceof Placeholder)) return parameter;
    const value = values[parameter.name];
    if (value === undefined) throw new Error(`the statement has no value for "${parameter.name}"`);
    return value;
  });
}
