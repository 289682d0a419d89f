import type { Database } from "../db/database.ts";
import {
  type Timeline,
  timelineByEventId,
  timelineByPayment,
  timelineByToken,
  timelinesByTelegramUser,
} from "./timeline.ts";

/** Everybody whom a key names: a tracking token, payment, event id or Telegram user id; each says by its form what it may be. */
export async function findVisitors(db: Database, key: string): Promise<Timeline[]> {
  const one =
    (await timelineByToken(db, key)) ??
    (await timelineByPayment(db, key)) ??
    (await timelineByEventId(db, key));
  return one === null ? timelinesByTelegramUser(db, key) : [one];
}
