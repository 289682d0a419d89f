import { expect, test } from "bun:test";
import { whatIsMissing } from "../../scripts/bench/needs.ts";
import { readOptions } from "../../scripts/bench/options.ts";
import { UsageError } from "../../scripts/lib/command.ts";

const NAMES = ["go", "gate", "drain"];

test("a full run goes into the report; a part of it, or the smoke form, only where that is said", () => {
  expect(readOptions([], NAMES).reportFolder).toBe("docs");
  expect(readOptions(["--no-write"], NAMES).reportFolder).toBeNull();
  expect(readOptions(["--only", "go"], NAMES).reportFolder).toBeNull();
  expect(readOptions(["--only", "go", "--write"], NAMES).reportFolder).toBe("docs");
  expect(readOptions(["--smoke"], NAMES).reportFolder).toBeNull();
});

test("figures of the smoke form never get into the report", () => {
  expect(() => readOptions(["--smoke", "--write"], NAMES)).toThrow(UsageError);
});

test("cases are named one by one or with commas between them", () => {
  expect(readOptions(["--only", "go,gate", "--only", "drain"], NAMES).only).toEqual(["go", "gate", "drain"]);
});

test("a full run takes five rounds; rounds, seconds and sizes can be said", () => {
  expect(readOptions([], NAMES).effort).toMatchObject({ rounds: 5, memorySeconds: 300 });
  const typed = ["--rounds", "7", "--seconds", "9", "--sessions", "10000000", "--memory-seconds", "30"];
  expect(readOptions(typed, NAMES).effort).toMatchObject({
    rounds: 7,
    seconds: 9,
    sessions: 10_000_000,
    memorySeconds: 30,
  });
});

test.each([
  [["--only", "goo"], "There is no case goo. The cases are: go, gate, drain"],
  [["--rounds", "0"], '--rounds takes whole numbers above 0, not "0"'],
  [["--seconds", "1.5"], '--seconds takes whole numbers above 0, not "1.5"'],
  [["--sessions", "many"], '--sessions takes whole numbers above 0, not "many"'],
])("%p cannot be meant, and it is said why", (argv, message) => {
  expect(() => readOptions(argv, NAMES)).toThrow(message);
});

test("an unknown option is wrong usage", () => {
  expect(() => readOptions(["--fast"], NAMES)).toThrow(UsageError);
});

test("without wrk it is said how to get it, where it is needed", () => {
  const nothing = () => null;
  expect(whatIsMissing(["wrk"], nothing)).toContain("apt-get install wrk");
  expect(whatIsMissing([], nothing)).toBeNull();
  expect(whatIsMissing(["wrk", "postgres"], () => "/usr/bin/wrk")).toBeNull();
});
