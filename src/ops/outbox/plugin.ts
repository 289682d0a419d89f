import { Elysia } from "elysia";
import { NotFound } from "../../../views/ops/not-found.tsx";
import { OutboxPage } from "../../../views/ops/outbox.tsx";
import { OutboxRowPage } from "../../../views/ops/outbox-row.tsx";
import { findOutboxRow, listOutbox } from "../../outbox/outbox-rows.ts";
import { countReplay, type Replay, type Selection } from "../../outbox/replay.ts";
import { auditedReplay } from "../../pools/audited-replay.ts";
import type { OpsDeps } from "../deps.ts";
import { type FormFields, formFields } from "../form.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";
import { type AskedEvents, filledFields, isUnderstood, readAskedEvents } from "./outbox-query.ts";
import { idSchema, readReplayForm } from "./replay-form.ts";

const PAGE_LENGTH = 50;

/** `/ops/outbox`: where every event is, what came back, and sending or dropping it. */
export function outboxPages(deps: OpsDeps) {
  const { db } = deps;

  async function replayed(operator: Operator, action: Replay, selection: Selection, back: string) {
    const total = await auditedReplay(db, deps.now, { action, selection, actor: operator.actor });
    return doneAndSee(operator, back, doneText(action, total));
  }

  /** The events asked for; where that was not understood, none, and what is wrong beside its field. */
  async function listPage(
    operator: Operator,
    asked: AskedEvents,
    {
      cursor,
      status = 200,
      wasChange = false,
    }: { cursor?: number | undefined; status?: number; wasChange?: boolean },
  ) {
    const { zone, csrfToken } = operator.frame;
    const { fields, filter, errors } = asked;
    const isListed = isUnderstood(asked);
    const [page, retried, discarded] = isListed
      ? await Promise.all([
          listOutbox(db, filter, { cursor, limit: PAGE_LENGTH }),
          countReplay(db, "retry", { filter }),
          countReplay(db, "discard", { filter }),
        ])
      : [{ items: [], next_cursor: null }, 0, 0];
    return opsPage(operator, {
      title: "Outbox",
      section: "outbox",
      status,
      children: OutboxPage({
        rows: page.items,
        next: page.next_cursor,
        isFirst: cursor === undefined,
        fields,
        errors,
        wasChange,
        filled: filledFields(fields),
        matching: { retry: retried, discard: discarded },
        csrfToken,
        zone,
      }),
    });
  }

  return new Elysia({ name: "ops.outbox" })
    .use(opsGuard(deps))
    .get("/ops/outbox", ({ operator, request }) => {
      const query = formFields(new URL(request.url).searchParams);
      return listPage(operator, readAskedEvents(query, operator.frame.zone, ["cursor"]), {
        cursor: readCursor(query),
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
      const form = formFields(body);
      const given = readReplayForm(form, operator.frame.zone);
      if (given.asked === null) return listPage(operator, given, { status: 400, wasChange: true });
      const { action, selection } = given.asked;
      const query = new URLSearchParams(filledFields(given.fields));
      const [only] = "ids" in selection && selection.ids.length === 1 ? selection.ids : [];
      const isOnRow = form.has("on_row") && only !== undefined;
      const back = isOnRow ? `/ops/outbox/${only}` : query.size > 0 ? `/ops/outbox?${query}` : "/ops/outbox";
      return replayed(operator, action, selection, back);
    });
}

/** The id that the page's rows are older than; the newest page where it is none. */
function readCursor(query: FormFields): number | undefined {
  return idSchema.safeParse(query.text("cursor")).data;
}

function doneText(action: Replay, total: number): string {
  if (total === 0) return "Nothing was changed: none of these can be.";
  const events = total === 1 ? "1 event" : `${total} events`;
  return action === "retry" ? `${events} will be sent again at once.` : `${events} discarded.`;
}
