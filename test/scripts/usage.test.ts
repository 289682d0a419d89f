import { expect, test } from "bun:test";
import { runProgram } from "../support/run-program.ts";

const URL = "postgres://db/ponte";

test.each([
  ["start", ["--nope"], "It takes no arguments, but was given --nope."],
  ["visitor", ["twice"], "It takes no arguments, but was given twice."],
  ["test", ["--nope"], "There is no flag called --nope."],
  ["test", ["sqlit"], "There is no stage called sqlit."],
  ["create_meta_tracking_sessions.sh", [], "It takes the URL of the database, and nothing else."],
  ["create_meta_tracking_sessions.sh", ["data/ponte.db"], "The URL must begin with postgres://"],
  ["grant_meta_tracking_sessions.sh", ["--prnt", URL, "app"], "There is no flag called --prnt."],
  [
    "grant_meta_tracking_sessions.sh",
    [URL],
    "It takes the URL of the database and the name of the app's user",
  ],
])("scripts/%s %j says what is wrong, then how it is used", async (script, args, words) => {
  const ran = await runProgram([`scripts/${script}`, ...args]);
  expect(ran).toMatchObject({ code: 2, out: "" });
  const [first = "", ...rest] = ran.err.split("\n");
  expect(first).toStartWith(`✗ ${words}`);
  expect(rest.join("\n")).toContain("Usage: ");
  const help = await runProgram([`scripts/${script}`, "--help"]);
  expect(help).toMatchObject({ code: 0, err: "" });
  expect(rest.join("\n")).toBe(help.out);
});
