import { expect, test } from "bun:test";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { createLog } from "../../src/platform/log.ts";

function logged(error: unknown): Record<string, unknown> {
  let line = "";
  const log = createLog("info", {
    write: (text: string) => {
      line = text;
    },
  });
  log.error({ error }, "it failed");
  return JSON.parse(line);
}

/** As postgres.js throws it: everything that the server says is a property. */
function serverError() {
  return Object.assign(new Error('null value in column "bot_id"'), {
    code: "23502",
    detail: "Failing row contains (1, Ana Silva, 177.45.10.9).",
    table_name: "bot_users",
  });
}

test("a failed statement is logged with its text and its cause, without what anybody's row holds", () => {
  const query = "insert into bot_users (first_name) values ($1)";
  const failed = new DrizzleQueryError(query, ["Ana Silva\nwho: at home"], serverError());
  const text = JSON.stringify(logged(new Error("the person could not be saved", { cause: failed })));
  expect(text).toContain(query);
  expect(text).toContain("the person could not be saved");
  expect(text).toContain("null value in column");
  expect(text).not.toContain("Ana");
  expect(text).not.toContain("at home");
});

test("the server's error keeps its code and table, not the row", () => {
  const { error } = logged(serverError());
  expect(error).toMatchObject({ code: "23502", table_name: "bot_users", type: "Error" });
  expect(JSON.stringify(error)).not.toContain("177.45.10.9");
});

test("circles end, and what is no error is logged as it is", () => {
  const circle = new Error("round");
  circle.cause = new Error("and round", { cause: circle });
  expect(JSON.stringify(logged(circle))).toContain("and round");
  expect(logged("a word").error).toBe("a word");
});
