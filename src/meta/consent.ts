import { CONSENTS, type Consent } from "../platform/consent.ts";
import { type MetaEvent, withLimitedDataUse } from "./event.ts";

/** What becomes of a visitor's events who denied consent: none is sent, or each under Limited Data Use. */
export type DeniedPolicy = "drop" | "ldu";

/** The event as it may be sent to Meta; null where it may not. */
export function permittedEvent(
  event: MetaEvent,
  consent: Consent | null,
  whenDenied: DeniedPolicy,
): MetaEvent | null {
  switch (consent) {
    case null:
    case "granted":
      return event;
    case "denied":
      return whenDenied === "ldu" ? withLimitedDataUse(event) : null;
    case "erased":
      return null;
  }
}

/** A stored text as consent; null for every other one. */
export function readConsent(text: string | null | undefined): Consent | null {
  return CONSENTS.find((consent) => consent === text) ?? null;
}
