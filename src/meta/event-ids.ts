/** The PageView of a visit; browser and server send the same, so that Meta counts them once. */
export function pageViewId(trackingToken: string): string {
  return `evt_${trackingToken}`;
}

/** The Lead of a visit, by its token, or of a person who came without one. */
export function leadId(of: string): string {
  return `lead_${of}`;
}

/** The InitiateCheckout of a payment. The message with the way to pay has a number behind it. */
export function checkoutId(paymentId: string): string {
  return `checkout_${paymentId}`;
}

/** The Purchase of a payment, once however often it is confirmed. */
export function purchaseId(paymentId: string): string {
  return `purchase_${paymentId}`;
}

/** What was bought, on its way through Telegram. */
export function deliveryId(paymentId: string): string {
  return `delivery_${paymentId}`;
}

/** All ids that a visit's own events may have. */
export function eventIdsOfVisit(trackingToken: string): string[] {
  return [pageViewId(trackingToken), leadId(trackingToken)];
}

/** All ids that a payment's own events may have. */
export function eventIdsOfPayment(paymentId: string): string[] {
  return [checkoutId(paymentId), purchaseId(paymentId), deliveryId(paymentId)];
}

/** Which visit's or which payment's own event has that id; null where the id names neither. */
export function parseEventId(
  eventId: string,
): { readonly of: "visit" | "payment"; readonly id: string } | null {
  const id = /_([0-9a-f]{32})$/.exec(eventId)?.[1];
  if (id === undefined) return null;
  if (eventIdsOfVisit(id).includes(eventId)) return { of: "visit", id };
  return eventIdsOfPayment(id).includes(eventId) ? { of: "payment", id } : null;
}
