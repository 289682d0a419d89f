import { POSTGRES_URL } from "../../src/config/database-url.ts";
import type { Config } from "../../src/config.ts";

const FOLDER = "data/demo";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment of the demo: its database, spool and secret lie in a folder of their own unless somebody says
 * otherwise, so that it never meets the data of a real pool.
 */
export function demoEnvironment(given: Environment): Record<string, string | undefined> {
  const url = given.DATABASE_URL || `${FOLDER}/ponte.db`;
  // Beside a SQLite file there is a place for spool and secret already.
  const folder = POSTGRES_URL.test(url) ? FOLDER : undefined;
  return { ...given, DATABASE_URL: url, DATA_DIR: given.DATA_DIR || folder };
}

/** Where this machine reaches what listens there. Who listens at every address does so at localhost. */
export function localUrl({ host, port }: Pick<Config, "host" | "port">): string {
  if (host === "0.0.0.0" || host === "::") return `http://localhost:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * What a shell puts before a command of `ponte` to have it look at the demo's data. A URL that was given may have a
 * password in it and is not repeated: a shell that does not know it stops there, or the command would find other data.
 */
export function demoPlace(given: Environment, { database, dataDir }: Config): string {
  const asGiven = (name: string) => `${name}="\${${name}:?set it as for ./scripts/start}"`;
  const url = given.DATABASE_URL ? asGiven("DATABASE_URL") : `DATABASE_URL=${database.url}`;
  const place = `${url} DATA_DIR=${dataDir}`;
  return given.REDIS_URL ? `${place} ${asGiven("REDIS_URL")}` : place;
}

/** What lets the sandbox take the money for the demo's offer: the server is started with it, and commands want it too. */
export function demoPayments(sandboxUrl: string): Record<string, string> {
  return {
    MERCADOPAGO_API_URL: sandboxUrl,
    MERCADOPAGO_ACCESS_TOKEN: "TEST-demo-a-token-of-the-sandbox",
    MERCADOPAGO_WEBHOOK_SECRET: "mercadopago-sandbox-secret",
  };
}
