import type { Findings } from "./oracle.ts";

/** What was done to a world. */
interface Trouble {
  readonly kills?: number;
  readonly restarts?: number;
}

const total = { tests: 0, kills: 0, restarts: 0, events: 0, copies: 0, missing: 0, different: 0 };

/** Prints what a test did and found, and the sum of all tests so far; `scripts/test` shows these lines. */
export function printFigures(
  name: string,
  findings: Findings,
  { kills = 0, restarts = 0 }: Trouble,
  note = "",
): void {
  const { ledger, delivered, copies, missing, different } = findings;
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);
  print(
    `${name}: ${kills} kills, ${restarts} restarts; ${ledger.visits.length} visits and ${ledger.payments.length} payments acknowledged`,
    `(the slowest visit in ${ledger.slowestVisitMs} ms), ${sum(ledger.refused)} requests told to try again, ${sum(ledger.unanswered)} cut off;`,
    `${delivered} events at Meta, ${copies} of them copies, ${missing.length} missing, ${different.length} different`,
    note && `; ${note}`,
  );
  total.tests++;
  total.kills += kills;
  total.restarts += restarts;
  total.events += delivered;
  total.copies += copies;
  total.missing += missing.length;
  total.different += different.length;
  print(
    `so far, ${total.tests} tests: ${total.kills} kills, ${total.restarts} restarts, ${total.events} events at Meta,`,
    `${total.copies} copies, ${total.missing} missing, ${total.different} different`,
  );
}

function print(...words: readonly string[]): void {
  console.log(
    `figures: ${words
      .filter((word) => word !== "")
      .join(" ")
      .replaceAll(" ;", ";")}`,
  );
}
