import { inArray } from "drizzle-orm";
import { ROUTE_MEANS } from "../api/outbox-filter.ts";
import { auditedReplay } from "../audit/audited-replay.ts";
import { pauseRouteBy, resumeRouteBy } from "../audit/audited-routes.ts";
import type { Database } from "../db/database.ts";
import type { Destination } from "../db/vocabulary.ts";
import { countReplay, type Replay, type Selection } from "../outbox/replay.ts";
import { ASKING_FLAGS, askFirst, refuseUnasked } from "./ask-first.ts";
import { type Context, defineCommand, type Given, Refused, WrongUsage } from "./command.ts";
import { idOf } from "./input.ts";
import { filterOf, OUTBOX_FLAGS, refuseUnknownPool } from "./outbox-flags.ts";
import { answer, count } from "./print.ts";
import { ACTOR, withDatabase } from "./with-database.ts";

const REPLAY_FLAGS = {
  ...OUTBOX_FLAGS,
  all: { type: "boolean", help: "all dead and expired events" },
  ...ASKING_FLAGS,
} as const;

export const outboxRetry = defineCommand({
  name: "outbox retry",
  summary: "Send events again: by number, or all that match",
  takes: ["[id…]"],
  options: REPLAY_FLAGS,
  details:
    "Without --status, dead and expired events are meant. Delivered events are never sent again, and those being sent are left alone.",
  examples: ["outbox retry 41 42", "outbox retry --status dead --pool summer --dry-run"],
  run: (given, values, context) => runReplay("retry", given, values, context),
});

export const outboxDiscard = defineCommand({
  name: "outbox discard",
  summary: "Take events out of the queue: by number, or all that match",
  takes: ["[id…]"],
  options: REPLAY_FLAGS,
  details:
    "Without --status, dead and expired events are meant. A discarded event can still be retried by number.",
  examples: ["outbox discard 41", "outbox discard --status dead --before 2025-03-01"],
  run: (given, values, context) => runReplay("discard", given, values, context),
});

const ROUTE_FLAGS = {
  destination: { type: "string", value: "name", help: "meta (default) or telegram" },
} as const;

const ABOUT_ROUTES = `A route is ${ROUTE_MEANS}.\nSee outbox routes for those in use, and bot list for the bots' numbers.`;

export const outboxPause = defineCommand({
  name: "outbox pause",
  summary: "Hold a route's events back until it is resumed",
  takes: ["<route>"],
  options: { ...ROUTE_FLAGS, reason: { type: "string", value: "text", help: "what the others will read" } },
  details: ABOUT_ROUTES,
  async run(given, [route = ""], context) {
    const destination = destinationOf(given.destination);
    const reason = given.reason || "paused by the operator";
    await withDatabase(context, async ({ db, now }) => {
      const isPaused = await pauseRouteBy({ db, now }, ACTOR, { destination, route }, reason);
      if (!isPaused) throw new Refused(noSuchRoute(destination, route));
      answer(
        context,
        { destination, route, paused: true, reason },
        () => `The ${destination} route ${route} is paused: ${reason}`,
      );
    });
  },
});

export const outboxResume = defineCommand({
  name: "outbox resume",
  summary: "Let a paused or resting route's events go again",
  takes: ["<route>"],
  options: ROUTE_FLAGS,
  details: ABOUT_ROUTES,
  async run(given, [route = ""], context) {
    const destination = destinationOf(given.destination);
    await withDatabase(context, async ({ db, now }) => {
      const isResumed = await resumeRouteBy({ db, now }, ACTOR, { destination, route });
      if (!isResumed) {
        throw new Refused(
          `Nothing holds ${destination} route ${route} up. See: bun run ponte outbox routes${orBot(destination)}`,
        );
      }
      answer(
        context,
        { destination, route, paused: false },
        () => `The ${destination} route ${route} goes again.`,
      );
    });
  },
});

async function runReplay(
  action: Replay,
  given: Given<typeof REPLAY_FLAGS>,
  values: readonly string[],
  context: Context,
): Promise<void> {
  const selection = selectionOf(given, values);
  refuseUnasked(context, given);
  await withDatabase(context, async ({ db, now }) => {
    if ("filter" in selection) await refuseUnknownPool(db, selection.filter);
    const rows = await countReplay(db, action, selection);
    if (rows === 0 && "ids" in selection) throw new Refused(await whyNot(db, action, selection.ids));
    if (given["dry-run"]) {
      return answer(
        context,
        { action, dry_run: true, rows },
        () => `Would ${action} ${count(rows, "event")}.`,
      );
    }
    const { terminal } = context;
    if (rows > 0) await askFirst(context, given, replayQuestion(action, count(rows, "event")));
    const done = await auditedReplay(db, now, {
      action,
      selection,
      actor: ACTOR,
      onProgress: (n) => terminal.progress(`${n} of ${rows}`),
    });
    terminal.progress("");
    answer(context, { action, dry_run: false, rows: done }, () => replayText(action, done));
  });
}

function selectionOf(given: Given<typeof REPLAY_FLAGS>, values: readonly string[]): Selection {
  const filter = filterOf(given);
  if (values.length > 0) {
    if (filter !== null || given.all) throw new WrongUsage("give either numbers or a filter");
    return { ids: values.map((value) => idOf(value)) };
  }
  if (filter === null && !given.all) {
    throw new WrongUsage("name events by number, by a filter such as --status dead, or with --all");
  }
  return { filter: filter ?? {} };
}

/** What the events are that were asked for by number and cannot be changed. */
async function whyNot(db: Database, action: Replay, ids: readonly number[]): Promise<string> {
  const { id, status } = db.tables.outboxProgress;
  const known = await db
    .select({ id, status })
    .from(db.tables.outboxProgress)
    .where(inArray(id, [...ids]));
  const statuses = new Map(known.map((row) => [row.id, row.status]));
  const lines = ids.map((asked) => `${asked}: ${statuses.get(asked) ?? "there is no such event"}`);
  return `Nothing to ${action}.\n${lines.join("\n")}\nSee: bun run ponte outbox show <id>`;
}

function replayQuestion(action: Replay, events: string): string {
  return action === "retry" ? `Send ${events} again?` : `Discard ${events}?`;
}

function replayText(action: Replay, rows: number): string {
  if (rows === 0) return "No event matches that can be changed.";
  return action === "retry"
    ? `${count(rows, "event")} will be sent again.`
    : `${count(rows, "event")} discarded.`;
}

function noSuchRoute(destination: Destination, route: string): string {
  const list = destination === "meta" ? "pool list" : "bot list";
  return `No pixel, bot or waiting event has the ${destination} route ${route}. See: bun run ponte ${list}${orBot(destination)}`;
}

/** A bot's number alone is taken for a pixel's. */
function orBot(destination: Destination): string {
  return destination === "meta" ? " (for a bot add --destination telegram)" : "";
}

function destinationOf(text: string | undefined): Destination {
  if (text === undefined || text === "meta") return "meta";
  if (text === "telegram") return "telegram";
  throw new WrongUsage("--destination: meta or telegram");
}
