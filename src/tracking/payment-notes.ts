import type { Tables } from "../db/define-schema.ts";

/** What a person should know of a payment, in the order in which it happened. */
export function paymentNotes({
  providerData,
}: Pick<Tables["payments"]["$inferSelect"], "providerData">): readonly string[] {
  const notes = providerData?.notes;
  return Array.isArray(notes) ? notes.filter((note) => typeof note === "string") : [];
}
