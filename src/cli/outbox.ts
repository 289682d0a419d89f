import { findOutboxRow, listOutbox, type OutboxDetail } from "../outbox/outbox-rows.ts";
import { outboxBacklog, type RouteBacklog, readOutboxState, type StatusCount } from "../outbox/status.ts";
import type { AttemptView, OutboxView } from "../outbox/views.ts";
import { LARGEST_PAGE } from "../platform/pagination.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import { idOf } from "./input.ts";
import { filterOf, OUTBOX_FLAGS, refuseUnknownPool } from "./outbox-flags.ts";
import { answer, duration, jsonText, record, second, table } from "./print.ts";
import { withDatabase } from "./with-database.ts";

export const outboxStatusCommand = defineCommand({
  name: "outbox status",
  summary: "Count events by pool, kind and status, and show what is held up",
  options: {
    fast: { type: "boolean", help: "leave out delivered events: quick on tables of any size" },
  },
  async run(given, _values, context) {
    await withDatabase(context, async ({ db }) => {
      const { events, routes } = await readOutboxState(db, { delivered: given.fast !== true });
      const none = given.fast ? "No events but delivered ones, which --fast does not count." : "No events.";
      answer(context, { events, routes }, () =>
        [events.length === 0 ? none : statusTable(events), "", routesText(routes)].join("\n"),
      );
    });
  },
});

export const outboxRoutes = defineCommand({
  name: "outbox routes",
  summary: "Show the routes (pixels, bots) that have something waiting or are held up",
  options: {},
  async run(_given, _values, context) {
    await withDatabase(context, async ({ db }) => {
      const routes = await outboxBacklog(db);
      answer(context, routes, () => routesText(routes));
    });
  },
});

const NO_SUCH_EVENTS =
  "No events. Their names are told apart by capitals as well: PageView, Purchase, welcome, delivery …";

export const outboxList = defineCommand({
  name: "outbox list",
  summary: "List events, newest first",
  options: {
    ...OUTBOX_FLAGS,
    limit: { type: "string", value: "n", help: `how many, 1 to ${LARGEST_PAGE} (default 20)` },
    cursor: { type: "string", value: "cursor", help: "go on where the list before ended" },
  },
  examples: [
    "outbox list --status dead",
    "outbox list --pool summer --event-name Purchase --after 2025-03-01",
  ],
  async run(given, _values, context) {
    const limit = Number(given.limit ?? 20);
    if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_PAGE) {
      throw new WrongUsage(`--limit: 1 to ${LARGEST_PAGE}`);
    }
    const cursor = given.cursor === undefined ? undefined : idOf(given.cursor, "--cursor: ");
    const filter = filterOf(given) ?? {};
    await withDatabase(context, async ({ db }) => {
      await refuseUnknownPool(db, filter);
      const page = await listOutbox(db, filter, { cursor, limit });
      answer(context, page, () => {
        if (page.items.length === 0) return given["event-name"] ? NO_SUCH_EVENTS : "No events.";
        const more = page.next_cursor === null ? [] : ["", `More: --cursor ${page.next_cursor}`];
        return [eventTable(page.items), ...more].join("\n");
      });
    });
  },
});

export const outboxShow = defineCommand({
  name: "outbox show",
  summary: "Show one event: what is sent, and every request made for it",
  takes: ["<id>"],
  options: {},
  async run(_given, [text = ""], context) {
    const id = idOf(text);
    await withDatabase(context, async ({ db }) => {
      const row = await findOutboxRow(db, id);
      if (row === null) throw new Refused(`There is no outbox row ${id}. See: bun run ponte outbox list`);
      answer(context, row, () => detailText(row));
    });
  },
});

function statusTable(counts: readonly StatusCount[]): string {
  return table(counts, [
    { head: "TO", cell: ({ destination }) => destination },
    { head: "POOL", cell: ({ pool }) => pool },
    { head: "EVENT", cell: ({ event_name }) => event_name },
    { head: "STATUS", cell: ({ status }) => status },
    { head: "EVENTS", cell: ({ events }) => events },
    { head: "OLDEST", cell: ({ oldest_created_at }) => age(oldest_created_at) },
    { head: "NEWEST", cell: ({ newest_created_at }) => age(newest_created_at) },
  ]);
}

/** How long ago it was. */
function age(instant: string): string {
  return duration(Date.now() - Date.parse(instant));
}

function routesText(routes: readonly RouteBacklog[]): string {
  if (routes.length === 0) return "Nothing waits and nothing is held up.";
  return table(routes, [
    { head: "TO", cell: ({ destination }) => destination },
    { head: "ROUTE", cell: ({ route }) => route },
    { head: "STATE", cell: ({ state }) => state },
    { head: "WAITING", cell: ({ waiting }) => waiting },
    { head: "DUE", cell: ({ due }) => due },
    { head: "SENDING", cell: ({ sending }) => sending },
    {
      head: "OLDEST",
      cell: ({ oldest_age_seconds }) =>
        oldest_age_seconds === null ? null : duration(oldest_age_seconds * 1000),
    },
    { head: "WHY", cell: whyHeldUp },
  ]);
}

function whyHeldUp(route: RouteBacklog): string | null {
  switch (route.state) {
    case "paused":
      return route.paused_reason;
    case "throttled":
      return `asked to slow down until ${route.throttled_until}`;
    case "resting":
      return `${route.failures} failures in a row; tried again at ${route.open_until}`;
    case "ready":
      return null;
  }
}

function eventTable(rows: readonly OutboxView[]): string {
  return table(rows, [
    { head: "ID", cell: ({ id }) => id },
    { head: "WRITTEN", cell: ({ created_at }) => second(created_at) },
    { head: "TO", cell: ({ destination }) => destination },
    { head: "POOL", cell: ({ pool }) => pool },
    { head: "EVENT", cell: ({ event_name }) => event_name },
    { head: "STATUS", cell: ({ status }) => status },
    { head: "TRIES", cell: ({ attempts }) => attempts },
    { head: "EVENT ID", cell: ({ event_id }) => event_id },
    { head: "LAST ERROR", cell: ({ last_error }) => shortened(last_error) },
  ]);
}

function detailText(row: OutboxDetail): string {
  return [
    record([
      ["Event", `${row.event_name} ${row.event_id}`],
      ["To", `${row.destination}, route ${row.route}`],
      ["Pool", row.pool],
      ["Status", row.status],
      ["Tries", row.attempts],
      ["Last error", row.last_error],
      ["fbtrace_id", row.fbtrace_id],
      ["Visitor", row.tracking_token],
      ["Payment", row.payment_id],
      ["Written", row.created_at],
      ["Available", row.available_at],
      ["Delivered", row.delivered_at],
    ]),
    "",
    "Payload",
    jsonText(row.payload),
    "",
    row.requests.length === 0 ? "No request was made for it yet." : requestTable(row.requests),
  ].join("\n");
}

function requestTable(requests: readonly AttemptView[]): string {
  return table(requests, [
    { head: "REQUEST AT", cell: ({ started_at }) => started_at },
    { head: "OUTCOME", cell: ({ outcome }) => outcome },
    { head: "HTTP", cell: ({ status }) => status },
    { head: "CODE", cell: ({ code }) => code },
    { head: "EVENTS", cell: ({ events }) => events },
    { head: "MS", cell: ({ duration_ms }) => duration_ms },
    { head: "ANSWER", cell: ({ response }) => response },
  ]);
}

function shortened(text: string | null): string | null {
  return text !== null && text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
