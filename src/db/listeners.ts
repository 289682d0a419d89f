import type { Channel } from "./database.ts";

/** Who in this process wants to hear of commits, by channel. */
export function createListeners() {
  const byChannel = new Map<Channel, Set<() => void>>();
  return {
    add(channel: Channel, wake: () => void): () => void {
      const wakes = byChannel.get(channel) ?? new Set();
      byChannel.set(channel, wakes.add(wake));
      return () => wakes.delete(wake);
    },
    wake(channel: Channel): void {
      for (const wake of byChannel.get(channel) ?? []) wake();
    },
  };
}

export type Listeners = ReturnType<typeof createListeners>;
