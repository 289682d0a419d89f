import type { UserData } from "./event.ts";

/**
 * Whether Meta can take the event as being about somebody: one of these keys, or a first and last name together. A user
 * agent or half a name alone is refused ("insufficient customer information", subcode 2804050).
 */
export function hasMatchableKey(data: { readonly [key in keyof UserData]?: unknown }): boolean {
  return (
    data.em !== undefined ||
    data.ph !== undefined ||
    data.external_id !== undefined ||
    data.fbc !== undefined ||
    data.fbp !== undefined ||
    data.client_ip_address !== undefined ||
    (data.fn !== undefined && data.ln !== undefined)
  );
}
