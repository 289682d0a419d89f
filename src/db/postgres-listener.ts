import type { Sql } from "postgres";
import type { Channel } from "./database.ts";
import type { Listeners } from "./listeners.ts";

/** How Postgres knows our channels: it may have others' too. */
export const CHANNEL_PREFIX = "ponte_";

const TRY_AGAIN_MS = 1_000;

/** One connection for all channels, opened when somebody first listens; the driver reconnects it by itself. */
export function openListener(connect: () => Sql, listeners: Listeners) {
  const channels = new Set<Channel>();
  let current: Sql | undefined;

  function subscribe(channel: Channel): void {
    current ??= connect();
    const asked = current;
    const wake = () => listeners.wake(channel);
    // On reconnection something may have been missed, so listeners are woken then too.
    asked.listen(CHANNEL_PREFIX + channel, wake, wake).catch(() => {
      // No server yet. The schedules are the safety net; try again until there is one.
      setTimeout(() => asked === current && subscribe(channel), TRY_AGAIN_MS).unref();
    });
  }

  return {
    add(channel: Channel): void {
      if (channels.has(channel)) return;
      channels.add(channel);
      subscribe(channel);
    },
    /** Leaves a connection behind that may have died without a word. */
    renew(): void {
      const left = current;
      current = undefined;
      left?.end({ timeout: 0 }).catch(() => undefined);
      for (const channel of channels) subscribe(channel);
    },
    async close(): Promise<void> {
      const left = current;
      current = undefined;
      await left?.end({ timeout: 1 });
    },
  };
}
