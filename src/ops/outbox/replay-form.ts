import { z } from "zod";
import type { Replay, Selection } from "../../outbox/replay.ts";
import type { FormFields } from "../form.ts";
import { rowId } from "../params.ts";
import { type AskedEvents, isUnderstood, readAskedEvents } from "./outbox-query.ts";

const MOST_IDS = 1_000;
/** What a form has besides the filter, which a choice of single events carries only to come back to it. */
const OTHERS = ["_csrf", "action", "all", "id", "on_row", "total"];

const actionSchema = z.enum(["retry", "discard"]);
const idsSchema = z
  .array(rowId)
  .min(1)
  .max(MOST_IDS)
  .transform((ids) => [...new Set(ids)]);

/** What a form asks to be done. */
interface AskedReplay extends AskedEvents {
  /** Null where it was not understood: then nothing may be changed. */
  readonly asked: { readonly action: Replay; readonly selection: Selection } | null;
  /** What was counted when it was asked for; null where that is not known. */
  readonly total: number | null;
}

/** Reads what to retry or discard: all that the filter matches where it says so, else the events it names. */
export function readReplayForm(given: FormFields, zone: string): AskedReplay {
  const total = rowId.safeParse(given.text("total")).data ?? null;
  const events = { ...readAskedEvents(given, zone, OTHERS), total };
  const nothing = (fault: string): AskedReplay => ({
    ...events,
    errors: { "": fault, ...events.errors },
    asked: null,
  });
  const action = actionSchema.safeParse(given.text("action"));
  if (!action.success || given.all("action").length > 1) return nothing("Choose to retry or to discard.");
  if (given.has("all")) {
    if (given.has("id")) return nothing("Choose either all that match or single events.");
    if (!isUnderstood(events)) return { ...events, asked: null };
    return { ...events, asked: { action: action.data, selection: { filter: events.filter } } };
  }
  if (!given.has("id")) return nothing("No event was chosen.");
  const ids = idsSchema.safeParse(given.all("id"));
  if (!ids.success) return nothing(`Choose events by their numbers, at most ${MOST_IDS} at once.`);
  if (!isUnderstood(events)) return { ...events, asked: null };
  return { ...events, asked: { action: action.data, selection: { ids: ids.data } } };
}
