import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { OutboxPage } from "../../../views/ops/outbox.tsx";
import type { OutboxFilter } from "../../outbox/filter.ts";
import { listOutbox } from "../../outbox/outbox-rows.ts";
import { replayedStatuses } from "../../outbox/replay.ts";
import { PAGE_SIZE } from "../../platform/pagination.ts";
import { findPool } from "../../pools/pool-view.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { opsPage } from "../page.ts";
import { type AskedEvents, filledFields, isUnderstood } from "./outbox-query.ts";

/** A search that no index serves is looked at for so long; the next page goes on. */
const SEARCH_MS = 1_000;

/** The list as its filter stands in the address. */
export function outboxAddress(filled: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(filled);
  return query.size > 0 ? `/ops/outbox?${query}` : "/ops/outbox";
}

/** A misspelt pool has no events, which could be taken for an answer. */
async function unknownPool(db: OpsDeps["db"], { pool }: OutboxFilter): Promise<FieldErrors> {
  const isKnown = pool === undefined || (await findPool(db, db.tables, pool)) !== null;
  return isKnown ? {} : { pool: "There is no such pool." };
}

/** Makes the page of the events asked for; where that was not understood, of none, with what is wrong at its field. */
export function listPages({ db }: Pick<OpsDeps, "db">) {
  return async (
    operator: Operator,
    asked: AskedEvents,
    {
      cursor,
      status = 200,
      wasChange = false,
    }: { cursor?: number | undefined; status?: number; wasChange?: boolean },
  ): Promise<Response> => {
    const { zone } = operator.frame;
    const { fields, filter } = asked;
    const errors = { ...asked.errors, ...(await unknownPool(db, filter)) };
    const page = isUnderstood({ errors })
      ? await listOutbox(db, filter, { cursor, limit: PAGE_SIZE, budgetMs: SEARCH_MS })
      : { items: [], next_cursor: null };
    return opsPage(operator, {
      title: "Outbox",
      section: "outbox",
      status,
      children: OutboxPage({
        rows: page.items,
        next: page.next_cursor,
        isCutShort: page.next_cursor !== null && page.items.length < PAGE_SIZE,
        isFirst: cursor === undefined,
        fields,
        errors,
        wasChange,
        filled: filledFields(fields),
        possible: (["retry", "discard"] as const).filter(
          (action) => replayedStatuses(action, { filter }).length > 0,
        ),
        zone,
      }),
    });
  };
}
