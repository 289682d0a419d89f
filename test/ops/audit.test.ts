import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { recordAudit } from "../../src/audit/audit-log.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";

let own: TestApp;
let operator: TestOperator;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD, PUBLIC_URL: "http://bridge.example.com" });
  operator = await logIn(own);
});
afterAll(() => own.dispose());

describe(`the console's audit log on ${testDialect}`, () => {
  test("says who changed what, each change once, newest first, and strangers' names are text", async () => {
    const { db } = own;
    for (let i = 0; i < 60; i++) {
      await db.transaction((tx) =>
        recordAudit(tx, db.tables, {
          at: new Date(),
          actor: "api:<script>alert(1)</script>",
          action: "pool.update",
          subject: `pool:p${i}.`,
          before: { name: "</code><script>alert(2)</script>" },
          after: { name: "Summer" },
        }),
      );
    }
    const seen: number[] = [];
    let path: string | undefined = "/ops/audit";
    while (path !== undefined) {
      const html: string = await (await operator.get(path)).text();
      expect(html).not.toContain("<script>alert");
      seen.push(...[...html.matchAll(/pool:p(\d+)\./g)].map(([, i]) => Number(i)));
      path = /href="([^"]+)" rel="next"/.exec(html)?.[1];
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => 59 - i));
  });

  test("says of a change what was and is, and of what was made each value that it has", async () => {
    const { db } = own;
    const entry = { at: new Date(), actor: "cli", subject: "pool:autumn" };
    await db.transaction(async (tx) => {
      await recordAudit(tx, db.tables, {
        ...{ ...entry, action: "pool.create", before: null },
        after: { slug: "autumn", locale: null, capture_params: [], bots: [{ username: "a_bot" }] },
      });
      await recordAudit(tx, db.tables, {
        ...{ ...entry, action: "pool.update" },
        ...{ before: { meta_test_event_code: null }, after: { meta_test_event_code: "TEST1" } },
      });
    });
    const html: string = await (await operator.get("/ops/audit")).text();
    expect(html).toContain("<li>meta_test_event_code: none → TEST1</li>");
    expect(html).toContain("<li>slug: autumn</li><li>bots: [{&quot;username&quot;:&quot;a_bot&quot;}]</li>");
  });

  test("any cursor is answered with a page", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.double().map(String)), async (cursor) => {
        const answer = await operator.get(`/ops/audit?cursor=${encodeURIComponent(cursor.toWellFormed())}`);
        expect(answer.status).toBe(200);
      }),
      { numRuns: 50 },
    );
  });
});
