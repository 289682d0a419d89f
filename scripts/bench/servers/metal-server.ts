import { Database } from "bun:sqlite";
import { newId } from "../../../src/platform/ids.ts";
import { answerSchema } from "./bare.ts";

// A durable click of which all is ready-made: its rows, by raw `bun:sqlite`, then its bytes. One thread does both, without
// the messages that two would need.

const [answer = "", path = ""] = process.argv.slice(2);
const { status, headers, body } = answerSchema.parse(JSON.parse(answer));

/** As many as leave Ponte at once. */
const BATCH = 32;
/** What differs from visit to visit. */
const OF_ITS_OWN: Readonly<Record<string, (token: string) => string>> = {
  tracking_token: (token) => token,
  root_event_id: (token) => `evt_${token}`,
  event_id: (token) => `evt_${token}`,
};

const database = new Database(path);
database.run("pragma journal_mode = wal");
database.run("pragma synchronous = full");
const inserts = ["meta_tracking_sessions", "outbox_events", "outbox_progress"].map(copier);
const writeBatch = database.transaction((count: number) => {
  for (let i = 0; i < count; i++) {
    const token = newId();
    for (const insert of inserts) insert(token);
  }
}).immediate;

/** Inserts the table's last row again, for a visit of its own. */
function copier(table: string): (token: string) => void {
  const last = database.query<Record<string, string | number | null>, []>(
    `select * from ${table} order by id desc limit 1`,
  );
  const { id: _, ...row } = last.get() ?? {};
  const columns = Object.keys(row);
  const insert = database.prepare(
    `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
  );
  const values = Object.values(row);
  const own = columns.flatMap((column, i) => {
    const from = OF_ITS_OWN[column];
    return from ? [{ i, from }] : [];
  });
  return (token) => {
    for (const { i, from } of own) values[i] = from(token);
    insert.run(...values);
  };
}

let waiting: ((response: Response) => void)[] = [];

function commit(): void {
  const committed = waiting;
  waiting = [];
  if (committed.length === 0) return;
  writeBatch(committed.length);
  for (const respond of committed) respond(new Response(body, { status, headers }));
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: () =>
    new Promise<Response>((respond) => {
      waiting.push(respond);
      if (waiting.length === BATCH) commit();
      else if (waiting.length === 1) setImmediate(commit);
    }),
});
console.log(server.url.origin);
