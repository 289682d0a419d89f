import { sql } from "drizzle-orm";
import { PIXEL } from "./seed.ts";
import type { Place } from "./servers/databases.ts";
import { startSandboxProcess } from "./servers/ponte.ts";

/** What Meta takes in one request, and Ponte sends. */
const EVENTS_A_REQUEST = 1_000;
const AT_ONCE = 2;

/**
 * The sandbox alone: how many events it takes a second where requests are ready-made and nobody reads or writes a
 * database for them. No drain to it is faster.
 *
 * @param count how many events, of the newest in the outbox
 * @throws Error where it refuses one
 */
export async function takenBySandbox({ db }: Place, count: number): Promise<number> {
  const { jsonText } = db.dialect;
  const rows = await db.rows<{ payload: string }>(
    sql`select ${jsonText(sql`payload`)} as payload from outbox_events order by id desc limit ${count}`,
  );
  const bodies: string[] = [];
  for (let i = 0; i < rows.length; i += EVENTS_A_REQUEST) {
    const payloads = rows.slice(i, i + EVENTS_A_REQUEST).map(({ payload }) => payload);
    bodies.push(`{"access_token":"EAAbench","data":[${payloads.join(",")}]}`);
  }
  const sandbox = await startSandboxProcess();
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, () => sendAll(sandbox.url, bodies)));
  const seconds = (performance.now() - startedMs) / 1_000;
  await sandbox.stop();
  return rows.length / seconds;
}

/** Takes one body after another until none is left. */
async function sendAll(graphUrl: string, bodies: string[]): Promise<void> {
  for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${graphUrl}/v24.0/${PIXEL}/events`, { method: "POST", headers, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}: ${text}`);
  }
}
