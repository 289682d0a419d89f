import { Elysia } from "elysia";
import { z } from "zod";
import { NotFound } from "../../../views/ops/not-found.tsx";
import { OutboxPage } from "../../../views/ops/outbox.tsx";
import { OutboxRowPage } from "../../../views/ops/outbox-row.tsx";
import { findOutboxRow, listOutbox } from "../../outbox/outbox-rows.ts";
import { countReplay, type Replay, replay, type Selection } from "../../outbox/replay.ts";
import { recordAudit } from "../../pools/audit.ts";
import type { OpsDeps } from "../deps.ts";
import { type FormFields, formFields } from "../form.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";
import { filledFields, outboxFilterOf, readCursor, readOutboxFields } from "./outbox-query.ts";

const PAGE_LENGTH = 50;

const idSchema = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const actionSchema = z.enum(["retry", "discard"]);

/** `/ops/outbox`: where every event is, what came back, and sending or dropping it. */
export function outboxPages(deps: OpsDeps) {
  const { db } = deps;

  async function replayed(operator: Operator, action: Replay, selection: Selection, back: string) {
    const total = await replay(db, action, selection);
    await db.transaction((tx) =>
      recordAudit(tx, db.tables, {
        at: deps.now(),
        actor: operator.actor,
        action: `outbox.${action}`,
        subject: "outbox",
        after: { ...selection, rows: total },
      }),
    );
    return doneAndSee(operator, back, doneText(action, total));
  }

  return new Elysia({ name: "ops.outbox" })
    .use(opsGuard(deps))
    .get("/ops/outbox", async ({ operator, query }) => {
      const { zone, csrfToken } = operator.frame;
      const fields = readOutboxFields(query);
      const filter = outboxFilterOf(fields, zone);
      const cursor = readCursor(query);
      const [page, retried, discarded] = await Promise.all([
        listOutbox(db, filter, { cursor, limit: PAGE_LENGTH }),
        countReplay(db, "retry", { filter }),
        countReplay(db, "discard", { filter }),
      ]);
      return opsPage(operator, {
        title: "Outbox",
        section: "outbox",
        children: OutboxPage({
          rows: page.items,
          next: page.next_cursor,
          isFirst: cursor === undefined,
          fields,
          filled: filledFields(fields),
          matching: { retry: retried, discard: discarded },
          csrfToken,
          zone,
        }),
      });
    })
    .get("/ops/outbox/:id", async ({ operator, params }) => {
      const id = idSchema.safeParse(params.id);
      const row = id.success ? await findOutboxRow(db, id.data) : null;
      if (row === null)
        return opsPage(operator, {
          title: "Not found",
          section: "outbox",
          status: 404,
          children: NotFound({ text: "There is no such event. Retention may have removed it." }),
        });
      const { zone, csrfToken } = operator.frame;
      return opsPage(operator, {
        title: `Event ${row.id}`,
        section: "outbox",
        children: OutboxRowPage({ row, csrfToken, zone }),
      });
    })
    .post("/ops/outbox/replay", ({ operator, body }) => {
      const fields = formFields(body);
      const action = actionSchema.safeParse(fields.text("action"));
      const selection = selectionOf(fields, operator.frame.zone);
      if (!action.success || selection === null)
        return doneAndSee(operator, "/ops/outbox", "Nothing was changed: no event was chosen.");
      const query = new URLSearchParams(filledFields(readOutboxFields(formRecord(fields))));
      const [only] = "ids" in selection && selection.ids.length === 1 ? selection.ids : [];
      const isOnRow = fields.has("on_row") && only !== undefined;
      const back = isOnRow ? `/ops/outbox/${only}` : query.size > 0 ? `/ops/outbox?${query}` : "/ops/outbox";
      return replayed(operator, action.data, selection, back);
    });
}

/** All that the filter matches where the form says so, else the ticked rows; null where there are none. */
function selectionOf(fields: FormFields, zone: string): Selection | null {
  if (fields.has("all")) return { filter: outboxFilterOf(readOutboxFields(formRecord(fields)), zone) };
  const ids = fields.all("id").flatMap((given) => {
    const id = idSchema.safeParse(given);
    return id.success ? [id.data] : [];
  });
  return ids.length > 0 && ids.length <= 1_000 ? { ids } : null;
}

function formRecord(fields: FormFields): Record<string, string> {
  const names = ["status", "destination", "pool", "event", "text", "from", "to"];
  return Object.fromEntries(names.map((name) => [name, fields.text(name)]));
}

function doneText(action: Replay, total: number): string {
  if (total === 0) return "Nothing was changed: none of these can be.";
  const events = total === 1 ? "1 event" : `${total} events`;
  return action === "retry" ? `${events} will be sent again at once.` : `${events} discarded.`;
}
