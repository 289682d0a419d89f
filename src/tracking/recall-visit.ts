/**
 * Brings a visit into the database that waits on this machine's disk; false where none does. Without it nobody knows which
 * pool's ad somebody came by. Asked for before a transaction.
 */
export type RecallVisit = (trackingToken: string) => Promise<boolean>;
