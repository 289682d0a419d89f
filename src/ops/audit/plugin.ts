import { Elysia } from "elysia";
import { z } from "zod";
import { AuditPage } from "../../../views/ops/audit.tsx";
import { listAudit } from "../../pools/audit.ts";
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
  return new Elysia({ name: "ops.audit" })
    .use(opsGuard(deps))
    .get("/ops/audit", async ({ operator, query }) => {
      const { cursor } = querySchema.parse(query);
      const page = await listAudit(db, { cursor, limit: PAGE_LENGTH });
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
