import { boundedList, recentMap } from "./bounded.ts";
import type { JsonObject } from "./json.ts";

/** One event as `GET /events` shows it. */
export interface ReceivedEvent {
  readonly received_at: string;
  readonly pixel_id: string;
  readonly test_event_code: string | null;
  /** The same pixel, `event_name` and `event_id` came within the 48 hours before. */
  readonly duplicate: boolean;
  readonly event: JsonObject;
}

/** Which events to look at; a missing field matches all. */
interface EventFilter {
  readonly pixel?: string | undefined;
  readonly event_name?: string | undefined;
  readonly event_id?: string | undefined;
}

/**
 * How many events came. `first_deliveries + duplicates = count`. Counts are exact even for events no longer
 * kept, unless the filter names an `event_id`: then only kept events are looked at.
 */
export interface EventCount {
  readonly count: number;
  readonly first_deliveries: number;
  readonly duplicates: number;
  readonly kept: number;
  readonly dropped: number;
  readonly capacity: number;
  readonly remembered_ids: number;
  readonly remembered_ids_capacity: number;
}

/** What the stand-in for Meta received, in order, bounded in memory. */
export interface EventLog {
  add(batch: {
    readonly pixelId: string;
    readonly testEventCode: string | null;
    readonly events: readonly JsonObject[];
    readonly nowMs: number;
  }): void;
  list(filter?: EventFilter, newest?: number): readonly ReceivedEvent[];
  count(filter?: EventFilter): EventCount;
  clear(): void;
}

/** Meta drops a second event with the same pixel, name and id within this time of the first. */
const DEDUPLICATION_MS = 48 * 60 * 60 * 1000;

interface Tally {
  firstDeliveries: number;
  duplicates: number;
}

/** Makes the event log; `maxEvents` are listed in full, `maxEventIds` are remembered for deduplication. */
export function createEventLog(limits: {
  readonly maxEvents: number;
  readonly maxEventIds: number;
}): EventLog {
  const received = boundedList<ReceivedEvent>(limits.maxEvents);
  const firstSeenMs = recentMap<number>(limits.maxEventIds);
  const tallies = new Map<string, Map<string, Tally>>();

  /** The counter of one pixel and event name, made on first use. */
  function tallyOf(pixelId: string, eventName: string): Tally {
    const byName = tallies.get(pixelId) ?? new Map<string, Tally>();
    tallies.set(pixelId, byName);
    const tally = byName.get(eventName) ?? { firstDeliveries: 0, duplicates: 0 };
    byName.set(eventName, tally);
    return tally;
  }

  /** Has this key been seen in the window? Remembers it where not. */
  function isDuplicate(key: string, nowMs: number): boolean {
    const seenMs = firstSeenMs.get(key);
    if (seenMs !== undefined && nowMs - seenMs < DEDUPLICATION_MS) return true;
    firstSeenMs.set(key, nowMs);
    return false;
  }

  const list = (filter: EventFilter = {}) => received.items().filter((item) => matches(item, filter));

  return {
    add({ pixelId, testEventCode, events, nowMs }) {
      const receivedAt = new Date(nowMs).toISOString();
      for (const event of events) {
        const name = String(event.event_name);
        const duplicate =
          typeof event.event_id === "string" && isDuplicate(`${pixelId}\n${name}\n${event.event_id}`, nowMs);
        const tally = tallyOf(pixelId, name);
        if (duplicate) tally.duplicates += 1;
        else tally.firstDeliveries += 1;
        received.push({
          received_at: receivedAt,
          pixel_id: pixelId,
          test_event_code: testEventCode,
          duplicate,
          event,
        });
      }
    },
    list(filter = {}, newest) {
      const listed = list(filter);
      return newest === undefined ? listed : listed.slice(Math.max(0, listed.length - newest));
    },
    count(filter = {}) {
      const total = filter.event_id === undefined ? sum(tallies, filter) : countKept(list(filter));
      return {
        count: total.firstDeliveries + total.duplicates,
        first_deliveries: total.firstDeliveries,
        duplicates: total.duplicates,
        kept: received.items().length,
        dropped: received.dropped(),
        capacity: received.capacity,
        remembered_ids: firstSeenMs.size(),
        remembered_ids_capacity: firstSeenMs.capacity,
      };
    },
    clear() {
      received.clear();
      firstSeenMs.clear();
      tallies.clear();
    },
  };
}

function matches(item: ReceivedEvent, filter: EventFilter): boolean {
  return (
    (filter.pixel === undefined || item.pixel_id === filter.pixel) &&
    (filter.event_name === undefined || item.event.event_name === filter.event_name) &&
    (filter.event_id === undefined || item.event.event_id === filter.event_id)
  );
}

function countKept(items: readonly ReceivedEvent[]): Tally {
  const duplicates = items.filter((item) => item.duplicate).length;
  return { firstDeliveries: items.length - duplicates, duplicates };
}

function sum(tallies: ReadonlyMap<string, ReadonlyMap<string, Tally>>, filter: EventFilter): Tally {
  const total: Tally = { firstDeliveries: 0, duplicates: 0 };
  for (const [pixelId, byName] of tallies) {
    if (filter.pixel !== undefined && filter.pixel !== pixelId) continue;
    for (const [name, tally] of byName) {
      if (filter.event_name !== undefined && filter.event_name !== name) continue;
      total.firstDeliveries += tally.firstDeliveries;
      total.duplicates += tally.duplicates;
    }
  }
  return total;
}
