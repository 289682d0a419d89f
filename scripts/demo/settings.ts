const FOLDER = "data/demo";

/**
 * The environment of the demo: its database, spool and secret lie in a folder of their own unless somebody says
 * otherwise, so that it never meets the data of a real pool.
 */
export function demoEnvironment(
  given: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const url = given.DATABASE_URL || `${FOLDER}/ponte.db`;
  // Beside a SQLite file there is a place for spool and secret already.
  const folder = /^postgres(ql)?:/.test(url) ? FOLDER : undefined;
  return { ...given, DATABASE_URL: url, DATA_DIR: given.DATA_DIR || folder };
}

/** What lets the sandbox take the money for the demo's offer: the server is started with it, and commands want it too. */
export function demoPayments(sandboxUrl: string): Record<string, string> {
  return {
    MERCADOPAGO_API_URL: sandboxUrl,
    MERCADOPAGO_ACCESS_TOKEN: "TEST-demo-a-token-of-the-sandbox",
    MERCADOPAGO_WEBHOOK_SECRET: "mercadopago-sandbox-secret",
  };
}
