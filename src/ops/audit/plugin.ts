import { Elysia } from "elysia";
import { AuditPage } from "../../../views/ops/audit.tsx";
import { listAudit } from "../../audit/audit-log.ts";
import type { OpsDeps } from "../deps.ts";
import { opsGuard } from "../guard.ts";
import { opsPage } from "../page.ts";
import { askedPage, pieceOf } from "../params.ts";

/** `/ops/audit`: who changed what. */
export function auditPages(deps: OpsDeps) {
  const { db } = deps;
  return new Elysia({ name: "ops.audit" })
    .use(opsGuard(deps))
    .get("/ops/audit", async ({ operator, query }) => {
      const asked = askedPage(query);
      const page = await listAudit(db, asked);
      return opsPage(operator, {
        title: "Audit",
        section: "audit",
        children: AuditPage({ ...pieceOf(asked, page, page.items), zone: operator.frame.zone }),
      });
    });
}
