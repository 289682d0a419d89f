import { expect, test } from "bun:test";
import { createLog } from "../../src/platform/log.ts";
import { createOutage } from "../../src/platform/outage.ts";

test("what fails every second is a line at first and one a minute, and one line when it works again", () => {
  const lines: string[] = [];
  const log = createLog("info", { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  let nowMs = 0;
  const outage = createOutage(log, { failed: "away", worked: "back" }, () => nowMs);
  outage.worked();
  expect(outage.isOn).toBe(false);
  for (; nowMs < 150_000; nowMs += 1_000) outage.failed({});
  expect(outage.isOn).toBe(true);
  outage.worked();
  outage.worked();
  expect(lines).toEqual(["away", "away", "away", "back"]);
  outage.failed({});
  expect(lines.at(-1)).toBe("away");
});
