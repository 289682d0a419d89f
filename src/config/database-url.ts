/** What a Postgres server's URL begins with; everything else names a SQLite file. */
export const POSTGRES_URL = /^postgres(ql)?:\/\//;

/** The path in a SQLite file's URL, which may be a bare path. */
export function sqlitePath(url: string): string {
  return url.replace(/^(sqlite|file):(\/\/)?/, "");
}
