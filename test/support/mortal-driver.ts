import { Database as SqliteClient } from "bun:sqlite";
import { Socket } from "node:net";
import type { Database } from "../../src/db/database.ts";

/** The methods of a SQLite statement that run it. */
const RUNS = new Set(["run", "all", "get", "values"]);

/**
 * Kills this process, with no warning, right before the k-th thing that its transactions ask of the database, or right
 * after a commit. It watches the drivers themselves (SQLite's statements, what goes down Postgres' socket), so that
 * nothing passes by it, whichever way the code asks. To be called before the database is opened.
 */
export function mortalDriver(k: number): (db: Database) => Database {
  let isArmed = false;
  let step = 0;
  const next = () => {
    if (isArmed && ++step === k) process.kill(process.pid, "SIGKILL");
  };

  const watched = <S extends object>(statement: S): S =>
    new Proxy(statement, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (RUNS.has(String(name))) next();
          return value.apply(target, args);
        };
      },
    });
  const { prepare, query, run } = SqliteClient.prototype;
  Object.assign(SqliteClient.prototype, {
    prepare(this: SqliteClient, ...args: Parameters<typeof prepare>) {
      return watched(prepare.apply(this, args));
    },
    query(this: SqliteClient, ...args: Parameters<typeof query>) {
      return watched(query.apply(this, args));
    },
    // `begin` and `commit` come this way.
    run(this: SqliteClient, ...args: Parameters<typeof run>) {
      next();
      return run.apply(this, args);
    },
  });
  const { write } = Socket.prototype;
  Object.assign(Socket.prototype, {
    write(this: Socket, ...args: Parameters<typeof write>) {
      next();
      return write.apply(this, args);
    },
  });

  return (db) => ({
    ...db,
    async transaction(work) {
      isArmed = true;
      try {
        const result = await db.transaction(work);
        next();
        return result;
      } finally {
        isArmed = false;
      }
    },
  });
}
