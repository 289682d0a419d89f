/** How long the database may take over what comes before or after a request, well within a lease. Milliseconds. */
export const DATABASE_TIMEOUT_MS = 5_000;

/** Rows read or changed in one go: on SQLite, visitors wait for as long as it takes. */
export const PIECE = 500;
