import { Elysia } from "elysia";
import { z } from "zod";
import { listAudit } from "../audit/audit-log.ts";
import { readRefusals } from "../gate/read-refusals.ts";
import { DAY_MS } from "../platform/durations.ts";
import { withoutGateValue } from "../pools/pool-view.ts";
import { describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { instant, pageOfQuery, pageQuery } from "./params.ts";

const describe = describeRoute("Reports");
const spanQuery = z.strictObject({
  after: instant("Counted from the hour that this lies in; without it, 24 hours"),
  before: instant("Up to this instant; without it, now", "2025-03-02T00:00:00Z"),
});

/** What the console shows and a script may want: who changed what, and whom the gates turned away. */
export function reportsApi({ db, now, authorize }: ApiRouteDeps) {
  return new Elysia({ name: "api.reports", prefix: "/api" })
    .use(apiGuard({ authorize }))
    .get(
      "/audit",
      async ({ query, scope }) => {
        const page = await listAudit(db, pageOfQuery(query));
        const shown = (view: unknown) =>
          typeof view === "object" && view !== null && scope !== "write" ? withoutGateValue(view) : view;
        const items = page.items.map((entry) => ({
          ...entry,
          at: entry.at.toISOString(),
          before: shown(entry.before),
          after: shown(entry.after),
        }));
        return { ...page, items };
      },
      {
        query: z.strictObject(pageQuery),
        detail: describe(
          "List what operators changed, newest first",
          { 200: "AuditPage" },
          "Console, command line and API keys. Tokens and keys are never written there, and a key that may only read is not shown the gate's value.",
        ),
      },
    )
    .get(
      "/gate/refusals",
      async ({ query: { after, before } }) => {
        const toMs = (before ?? now()).getTime();
        return { items: await readRefusals(db, { fromMs: after?.getTime() ?? toMs - DAY_MS, toMs }) };
      },
      {
        query: spanQuery,
        detail: describe(
          "Count whom the gates turned away, by pool and reason",
          { 200: "GateRefusals" },
          "`param`: the link's secret parameter is missing or wrong. `automated`: clients that say that they are. Counted by whole hours, of which one that the span touches counts whole.",
        ),
      },
    );
}
