import { outsideRequests } from "../platform/request-id.ts";
import type { Channel } from "./database.ts";

/** Who in this process wants to hear of commits, by channel. */
export function createListeners() {
  const byChannel = new Map<Channel, Set<() => void>>();
  return {
    add(channel: Channel, wake: () => void): () => void {
      const wakes = byChannel.get(channel) ?? new Set();
      // What a commit sets off is nobody's request, though some request's commit set it off.
      const wakeApart = outsideRequests(wake);
      byChannel.set(channel, wakes.add(wakeApart));
      return () => wakes.delete(wakeApart);
    },
    wake(channel: Channel): void {
      for (const wake of byChannel.get(channel) ?? []) wake();
    },
  };
}

export type Listeners = ReturnType<typeof createListeners>;
