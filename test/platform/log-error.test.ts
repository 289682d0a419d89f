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

test("what drivers call a statement's values, in whatever word, stays out of the log", () => {
  for (const name of ["params", "parameters", "args", "detail", "raw", "input"]) {
    const { error } = logged(
      Object.assign(new Error("it failed"), { [name]: ["177.45.10.9"], code: "22001" }),
    );
    expect(JSON.stringify(error)).not.toContain("177.45.10.9");
    expect(error).toMatchObject({ code: "22001" });
  }
});

test("an address that could not be read stays out of the log", () => {
  try {
    new URL("/ops/visitors?q=ana%40example.com");
  } catch (error) {
    expect(JSON.stringify(logged(error))).not.toContain("ana");
  }
  expect.assertions(1);
});

test("an error without a stack, or without words, is told by what it has", () => {
  const lookup = new Error("getaddrinfo ENOTFOUND db.example");
  // As Bun's resolver leaves it, and the driver completes it.
  lookup.stack = `${undefined}\n    at query.js:170`;
  const bare = new Error("nothing known", { cause: lookup });
  delete bare.stack;
  const { error } = logged(bare);
  expect(error).toMatchObject({
    message: "nothing known: getaddrinfo ENOTFOUND db.example",
    stack: "Error: nothing known\ncaused by: Error: getaddrinfo ENOTFOUND db.example\n    at query.js:170",
  });
  expect(logged(Object.assign(new Error("x"), { message: undefined })).error).toMatchObject({ message: "" });
});

test("circles end, and what is no error is logged as it is", () => {
  const circle = new Error("round");
  circle.cause = new Error("and round", { cause: circle });
  expect(JSON.stringify(logged(circle))).toContain("and round");
  expect(logged("a word").error).toBe("a word");
});
