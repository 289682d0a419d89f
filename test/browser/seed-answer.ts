import { desc, eq } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { sha256Hex } from "../../src/platform/digests.ts";

/** Gives the newest dead event what a real one has: a whole payload, and the request that Meta refused. */
export async function seedAnswer(db: Database): Promise<void> {
  const { outbox, outboxEvents, outboxProgress, outboxAttempts } = db.tables;
  const [event] = await db
    .select()
    .from(outbox)
    .where(eq(outbox.status, "dead"))
    .orderBy(desc(outbox.id))
    .limit(1);
  if (!event) throw new Error("no event is dead");
  const { id, eventName, eventId, destination, route, createdAt, trackingToken } = event;
  const isSale = eventName === "Purchase";
  const payload = {
    event_name: eventName,
    event_time: Math.floor(createdAt.getTime() / 1000),
    event_id: eventId,
    action_source: "website",
    event_source_url: "https://go.example.com/go/curso-edicao",
    user_data: {
      external_id: sha256Hex(trackingToken ?? eventId),
      client_ip_address: "203.0.113.20",
      client_user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15",
      fbc: `fb.1.${createdAt.getTime() + 60_000}.IwAR0${(trackingToken ?? "").slice(20)}`,
    },
    custom_data: {
      ...(isSale && { value: 49.9, currency: "BRL" }),
      utm_source: "facebook",
      utm_campaign: "BR | Frio | Vídeo 03",
    },
  };
  const fbtraceId = "AkT0c8Qyq5wZ1mJrXv2LhPd";
  const error = {
    message: "Invalid parameter",
    type: "OAuthException",
    code: 100,
    error_subcode: 2804017,
    is_transient: false,
    error_user_title: "fbc Created in the Future",
    error_user_msg: "data[0]: user_data.fbc was created in the future.",
    fbtrace_id: fbtraceId,
  };
  await db.transaction(async (tx) => {
    await tx.update(outboxEvents).set({ payload }).where(eq(outboxEvents.id, id));
    await tx.update(outboxProgress).set({ fbtraceId }).where(eq(outboxProgress.id, id));
    await tx.insert(outboxAttempts).values({
      destination,
      route,
      outboxIds: [id],
      events: 1,
      outcome: "invalid",
      status: 400,
      code: 100,
      subcode: 2804017,
      fbtraceId,
      durationMs: 164,
      response: JSON.stringify({ error }),
      startedAt: new Date(createdAt.getTime() + 1_200),
    });
  });
}
