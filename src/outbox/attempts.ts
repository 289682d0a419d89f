import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { type PlaceholderValues, preparedStatement } from "../db/prepared-statement.ts";
import type { AttemptOutcome } from "../db/vocabulary.ts";
import type { Answer, ClaimedRow, Verdict } from "./destination.ts";
import type { RouteKey } from "./routes.ts";

/** A request's row, as the statements here take it. */
export function attemptOf(
  { destination, route }: RouteKey,
  rows: readonly ClaimedRow[],
  verdict: Verdict,
  answer: Answer,
): PlaceholderValues {
  return {
    destination,
    route,
    outboxIds: `[${rows.map(({ id }) => id).join(",")}]`,
    events: rows.length,
    outcome: verdict.kind satisfies AttemptOutcome,
    ...answer,
    startsInMs: -answer.durationMs,
  };
}

/**
 * Whether an earlier try wrote this request down. Another request for the same rows with the same answer is not taken for
 * it: that one began half a second or more before the first try.
 *
 * @param sinceMs how long ago the first try began
 */
export async function isWritten(
  tx: Tx,
  { dialect }: Database,
  attempt: PlaceholderValues,
  sinceMs: number,
): Promise<boolean> {
  const earliestInMs = Number(attempt.startsInMs) - sinceMs - ROUNDING_MS;
  return (await tx.rows(WRITTEN(dialect), { ...attempt, earliestInMs })).length > 0;
}

/** Writes a request down. */
export async function writeAttempt(tx: Tx, { dialect }: Database, attempt: PlaceholderValues): Promise<void> {
  await tx.rows(ATTEMPT(dialect), attempt);
}

const value = sql.placeholder;

const ATTEMPT = preparedStatement(
  ({ now, plusMs, jsonOf }) => sql`
    insert into outbox_attempts
      (destination, route, outbox_ids, events, outcome, status, code, subcode, fbtrace_id, duration_ms, response, started_at)
    values (${value("destination")}, ${value("route")}, ${jsonOf(value("outboxIds"))}, ${value("events")},
      ${value("outcome")}, ${value("status")}, ${value("code")}, ${value("subcode")}, ${value("fbtraceId")},
      ${value("durationMs")}, ${value("response")}, ${plusMs(now, value("startsInMs"))})`,
);

/** Two clocks measure the tries, and both round. */
const ROUNDING_MS = 100;
const WRITTEN = preparedStatement(
  ({ now, plusMs, jsonText }) => sql`
    select id from outbox_attempts
    where destination = ${value("destination")} and route = ${value("route")}
      and started_at > ${plusMs(now, value("earliestInMs"))} and ${jsonText(sql`outbox_ids`)} = ${value("outboxIds")}
      and outcome = ${value("outcome")} and duration_ms = ${value("durationMs")} and response = ${value("response")}`,
);
