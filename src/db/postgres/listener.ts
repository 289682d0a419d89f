import type { Sql } from "postgres";
import type { Channel } from "../database.ts";
import type { Listeners } from "../listeners.ts";

/** How Postgres knows our channels: it may have others' too. */
export const CHANNEL_PREFIX = "ponte_";

/** One connection for all channels, opened when somebody first listens; the driver reconnects it by itself. */
export function openListener(connect: () => Sql, listeners: Listeners) {
  const channels = new Set<Channel>();
  let current: Sql | undefined;

  function subscribe(channel: Channel): void {
    current ??= connect();
    const wake = () => listeners.wake(channel);
    // On reconnection something may have been missed, so listeners are woken then too. Where there is no server yet, the
    // driver asks again by itself; asked twice, it would wake twice.
    current.listen(CHANNEL_PREFIX + channel, wake, wake).catch(() => undefined);
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
