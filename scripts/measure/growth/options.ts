import { readFlags, UsageError, wholeNumber } from "../../lib/command.ts";

export type DatabaseName = "sqlite" | "postgres";

export interface Options {
  /** Delivered rows in the outbox, ascending. */
  readonly sizes: readonly number[];
  readonly databases: readonly DatabaseName[];
  /** How often everything is measured at each size. */
  readonly rounds: number;
  /** Where databases are put; null: the system's temporary folder. */
  readonly folder: string | null;
  readonly explain: boolean;
  readonly help: boolean;
}

export const HELP = `Usage: bun scripts/measure/growth.ts [options]

What the outbox costs as it grows: fills a database for each size with delivered events (and their sessions and
requests), and measures how long it takes to claim and settle a thousand events, to record visits 64 at a
time, and to look for routes with something waiting. Everything lies on a disk, is durable as it comes, and is removed
afterwards. Ten million events take up to 12 GB a database.

  --rows a,b,c          delivered events (default 10000,100000,1000000,10000000)
  --database NAME       sqlite, postgres or both, one after the other (default both)
  --rounds N            rounds, in which the sizes take turns, and of which the median counts (default 25)
  --explain             also shows how each database goes about the statements, at the biggest size
  --dir FOLDER          where databases are put; it must be on a real disk (default: the system's temporary folder)
  --help                this text
`;

const DATABASES: Readonly<Record<string, readonly DatabaseName[]>> = {
  sqlite: ["sqlite"],
  postgres: ["postgres"],
  both: ["sqlite", "postgres"],
};

const FLAGS = {
  rows: { type: "string", default: "10000,100000,1000000,10000000" },
  database: { type: "string", default: "both" },
  rounds: { type: "string", default: "25" },
  explain: { type: "boolean", default: false },
  dir: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Reads the command line. @throws UsageError where it cannot be understood */
export function readOptions(argv: readonly string[]): Options {
  const values = readFlags(argv, FLAGS);
  const databases = DATABASES[values.database];
  if (!databases) throw new UsageError("--database takes sqlite, postgres or both");
  const sizes = values.rows.split(",").map((size) => wholeNumber("rows", size));
  return {
    sizes: [...new Set(sizes)].sort((a, b) => a - b),
    databases,
    rounds: wholeNumber("rounds", values.rounds),
    folder: values.dir ?? null,
    explain: values.explain,
    help: values.help,
  };
}
