import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { API_KEY } from "./world.ts";

/** An operator who looks now and then, and resumes every route that was paused. */
export function startOperator(db: Database, url: string) {
  let stopping = false;
  let resumed = 0;

  async function resumePaused(): Promise<void> {
    const paused = await db.rows<{ destination: string; route: string }>(
      sql`select destination, route from outbox_routes where paused_at is not null`,
    );
    for (const { destination, route } of paused) {
      const answer = await fetch(`${url}/api/outbox/routes/resume`, {
        method: "POST",
        headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
        body: JSON.stringify({ destination, route }),
      });
      if (!answer.ok) throw new Error(`a route could not be resumed: ${await answer.text()}`);
      resumed++;
    }
  }

  const running = (async () => {
    while (!stopping) {
      await resumePaused();
      await Bun.sleep(50);
    }
    await resumePaused();
  })();
  return {
    /** Looks a last time; resolves to how many routes were resumed altogether. */
    async stop(): Promise<number> {
      stopping = true;
      await running;
      return resumed;
    },
  };
}
