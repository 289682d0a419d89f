/** What a visitor said about being reported; `erased` once their data was erased, for good. Null: nothing. */
export const CONSENTS = ["granted", "denied", "erased"] as const;
export type Consent = (typeof CONSENTS)[number];
