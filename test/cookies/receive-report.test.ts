import { expect, test } from "bun:test";
import { createReportHandler } from "../../src/cookies/receive-report.ts";
import { VisitWaitsError } from "../../src/cookies/report-recorder.ts";
import { QueueFullError } from "../../src/db/waiting-list.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";

/** What the sender of a report is answered, what the log says, and what is counted, where it cannot be stored. */
async function refusedBy(error: Error) {
  const lines: string[] = [];
  const counted: number[] = [];
  const receive = createReportHandler({
    db: { advice: () => "look at the disk" },
    reports: { record: () => Promise.reject(error), close: async () => undefined },
    isTrustedProxy: () => false,
    log: createLog("info", { write: (line) => void lines.push(line) }),
    onAnswer: (status) => void counted.push(status),
  });
  const body = JSON.stringify({ tracking_token: newId() });
  const request = new Request("http://localhost/api/tracking/cookies", { method: "POST", body });
  const { status } = await receive(request, () => null);
  return { status, lines, counted };
}

test("of a report that could not be stored the log tells, and what to do; it is to be sent again", async () => {
  const { status, lines, counted } = await refusedBy(new Error("SQLITE_FULL"));
  expect([status, counted]).toEqual([503, [503]]);
  expect(lines).toEqual([expect.stringContaining("a cookie report could not be stored")]);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ todo: "look at the disk" });
});

test("one whose visit waits, or that comes among too many, is to be sent again without a word in the log", async () => {
  for (const error of [new VisitWaitsError("the visit waits in the spool"), new QueueFullError(20_000)]) {
    expect(await refusedBy(error)).toEqual({ status: 503, lines: [], counted: [503] });
  }
});
