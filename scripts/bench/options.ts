import { readFlags, UsageError, wholeNumber } from "../lib/command.ts";
import type { Effort } from "./case.ts";

export interface Options {
  /** Names of the cases to run; empty: all. */
  readonly only: readonly string[];
  readonly effort: Effort;
  readonly smoke: boolean;
  /** Where the report goes; null: it is only shown. */
  readonly reportFolder: string | null;
  /** Where databases are put. */
  readonly workFolder: string | null;
  readonly help: boolean;
}

export const HELP = `Usage: bun run bench [options]

Measures Ponte against its yardsticks, in rounds that take turns, over loopback only. Needs wrk (from apt), and for
some cases PostgreSQL's server programs. The report goes to docs/benchmarks.md, docs/benchmarks.json and
docs/images/bench-*.svg after a full run.

  --only a,b            only these cases; the report is then only shown, unless --write is given
  --write               put the cases that ran into the report, beside those that are there
  --no-write            only show the report
  --rounds N            rounds of each case (default 5)
  --seconds N           seconds of load in a round, for each side (default 5)
  --events N            events in a drained outbox (default 100000)
  --sessions N          sessions in the big tables (default 1000000; the bar speaks of 10000000)
  --memory-seconds N    how long the memory is watched (default 300)
  --dir FOLDER          where databases are put; it must be on a real disk (default: the system's temporary folder)
  --smoke               seconds of it, to see that the harness works; its figures mean nothing
  --help                this text
`;

const FULL: Effort = {
  rounds: 5,
  seconds: 5,
  warmUp: true,
  events: 100_000,
  sessions: 1_000_000,
  smallSessions: 10_000,
  memorySeconds: 300,
  clicks: 50,
};

const SMOKE: Effort = {
  rounds: 1,
  seconds: 1,
  warmUp: false,
  events: 2_000,
  sessions: 2_000,
  smallSessions: 1_000,
  memorySeconds: 2,
  clicks: 3,
};

const FLAGS = {
  only: { type: "string", multiple: true },
  write: { type: "boolean" },
  "no-write": { type: "boolean" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  events: { type: "string" },
  sessions: { type: "string" },
  "memory-seconds": { type: "string" },
  dir: { type: "string" },
  smoke: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the command line. @throws UsageError where it cannot be understood */
export function readOptions(argv: readonly string[], caseNames: readonly string[]): Options {
  const values = readFlags(argv, FLAGS);
  const only = (values.only ?? []).flatMap((list) => list.split(",")).filter(Boolean);
  const unknown = only.find((name) => !caseNames.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`There is no case ${unknown}. The cases are: ${caseNames.join(", ")}`);
  }
  const smoke = values.smoke ?? false;
  if (smoke && values.write) throw new UsageError("--smoke measures nothing that could go into the report");
  const base = smoke ? SMOKE : FULL;
  const number = (
    name: "rounds" | "seconds" | "events" | "sessions" | "memory-seconds",
    fallback: number,
  ) => {
    const given = values[name];
    return given === undefined ? fallback : wholeNumber(name, given);
  };
  const writes = values.write ?? (!smoke && only.length === 0 && !values["no-write"]);
  return {
    only,
    smoke,
    help: values.help ?? false,
    reportFolder: writes ? "docs" : null,
    workFolder: values.dir ?? null,
    effort: {
      ...base,
      rounds: number("rounds", base.rounds),
      seconds: number("seconds", base.seconds),
      events: number("events", base.events),
      sessions: number("sessions", base.sessions),
      memorySeconds: number("memory-seconds", base.memorySeconds),
    },
  };
}
