import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { logIn, newBrowser, OPERATOR_PASSWORD } from "../support/operator.ts";

let own: TestApp;
let isAway = false;
/** The database as the app sees it: whatever it is asked for fails while it is away. */
const failing = (db: Database): Database => ({
  ...db,
  get select() {
    if (isAway) throw new Error("connection refused");
    return db.select;
  },
  transaction: async (work) => {
    if (isAway) throw new Error("connection refused");
    return db.transaction(work);
  },
});

beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD }, (deps) => ({ ...deps, db: failing(deps.db) }));
});
afterAll(() => own.dispose());

test("while the database is away the console says so, to whoever is logged in and to whoever wants to be", async () => {
  const operator = await logIn(own);
  isAway = true;
  const page = await operator.get("/ops");
  expect([page.status, page.headers.get("retry-after")]).toEqual([503, "10"]);
  expect(await page.text()).toContain("Visitors are served all the same");

  const stranger = newBrowser(own);
  expect((await stranger.get("/ops/login")).status).toBe(200);
  const answer = await stranger.post("/ops/login", { password: OPERATOR_PASSWORD });
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain("The database cannot be used at this moment");

  isAway = false;
  expect((await operator.get("/ops")).status).toBe(200);
});
