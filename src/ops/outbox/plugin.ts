import { eq } from "drizzle-orm";
import { Elysia } from "elysia";
import { OutboxRowPage } from "../../../views/ops/outbox-row.tsx";
import { findHold } from "../../outbox/holds.ts";
import { findOutboxRow } from "../../outbox/outbox-rows.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { opsGuard } from "../guard.ts";
import { notFound } from "../not-found.ts";
import { opsPage } from "../page.ts";
import { askedPage, findById } from "../params.ts";
import { listPages } from "./list-page.ts";
import { readAskedEvents } from "./outbox-query.ts";
import { replayPages } from "./replay-pages.ts";

const NO_EVENT = "There is no such event. Retention may have removed it.";

/** `/ops/outbox`: where every event is, what came back, and sending or dropping it. */
export function outboxPages(deps: OpsDeps) {
  const { db } = deps;
  const listPage = listPages(deps);
  return new Elysia({ name: "ops.outbox" })
    .use(opsGuard(deps))
    .use(replayPages(deps))
    .get("/ops/outbox", ({ operator, request }) => {
      const query = formFields(new URL(request.url).searchParams);
      const { cursor } = askedPage({ cursor: query.text("cursor") });
      return listPage(operator, readAskedEvents(query, operator.frame.zone, ["cursor"]), { cursor });
    })
    .get("/ops/outbox/:id", async ({ operator, params }) => {
      const row =
        (await findById(params.id, (id) => findOutboxRow(db, id))) ?? notFound(operator, "outbox", NO_EVENT);
      const { zone, csrfToken } = operator.frame;
      const isWaiting = row.status === "pending" || row.status === "sending";
      const hold = isWaiting ? await findHold(db, db, row, deps.now().getTime()) : null;
      const poolId = row.pool === null ? null : await poolIdOf(deps, row.pool);
      return opsPage(operator, {
        title: `Event ${row.id}`,
        section: "outbox",
        children: OutboxRowPage({ row, hold, poolId, csrfToken, zone }),
      });
    });
}

async function poolIdOf({ db }: OpsDeps, slug: string): Promise<number | null> {
  const { pools } = db.tables;
  const [pool] = await db.select({ id: pools.id }).from(pools).where(eq(pools.slug, slug));
  return pool?.id ?? null;
}
