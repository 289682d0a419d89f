/** @jsxImportSource @kitajs/html */
import type { OutboxStatus } from "../../src/db/vocabulary.ts";
import { Badge, type Tone } from "./parts.tsx";

/** The colour of each status, wherever an event's status is shown. */
export const STATUS_TONES: Readonly<Record<OutboxStatus, Tone>> = {
  pending: "info",
  sending: "info",
  delivered: "good",
  dead: "bad",
  expired: "bad",
  discarded: "idle",
};

/** How far an event is. */
export function StatusBadge({ status }: { readonly status: OutboxStatus }): JSX.Element {
  return <Badge tone={STATUS_TONES[status]} text={status} />;
}

/** Whether an operator can do something with it: not where it went out or is on its way. */
export function isChangeable(status: OutboxStatus): boolean {
  return status !== "delivered" && status !== "sending";
}
