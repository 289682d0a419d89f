import { desc, lt } from "drizzle-orm";
import { Elysia } from "elysia";
import { z } from "zod";
import { AuditPage } from "../../../views/ops/audit.tsx";
import { pageOf } from "../../platform/page.ts";
import type { OpsDeps } from "../deps.ts";
import { opsGuard } from "../guard.ts";
import { opsPage } from "../page.ts";

const PAGE_LENGTH = 50;

const querySchema = z.object({
  cursor: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional().catch(undefined),
});

/** `/ops/audit`: who changed what. */
export function auditPages(deps: OpsDeps) {
  const { db } = deps;
  const { auditLog } = db.tables;
  return new Elysia({ name: "ops.audit" })
    .use(opsGuard(deps))
    .get("/ops/audit", async ({ operator, query }) => {
      const { cursor } = querySchema.parse(query);
      const rows = await db
        .select()
        .from(auditLog)
        .where(cursor === undefined ? undefined : lt(auditLog.id, cursor))
        .orderBy(desc(auditLog.id))
        .limit(PAGE_LENGTH + 1);
      const page = pageOf(rows, PAGE_LENGTH, ({ id }) => id);
      return opsPage(operator, {
        title: "Audit",
        section: "audit",
        children: AuditPage({
          lines: page.items,
          next: page.next_cursor,
          isFirst: cursor === undefined,
          zone: operator.frame.zone,
        }),
      });
    });
}
