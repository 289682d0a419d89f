import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { failureText } from "../../src/cli/failure.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { openDatabase } from "../../src/db/open.ts";
import { appSecret } from "../../src/platform/app-secret.ts";
import { codeOf } from "../../src/platform/errors.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { ensureProgram } from "../build.ts";
import { isAnswering } from "../lib/is-answering.ts";
import { prepareDemo } from "./prepare.ts";
import { demoEnvironment, demoPayments, demoPlace, localUrl } from "./settings.ts";

/** `./scripts/start`: a sandbox, a demo pool that delivers to it, and the server in the foreground. */

const READY_TRIES = 200;
const READY_PAUSE_MS = 50;
const DEFAULT_HOST = "0.0.0.0";
const DEFAULT_PORT = 3000;
const LAST_PORT = 65_535;
const SANDBOX_HOST = "127.0.0.1";
const ROOT = `${import.meta.dir}/../..`;

/** Where the scripts install Bun on a machine that has none. */
const INSTALLED_BUN = join(ROOT, ".cache/bun/node_modules");

const PORT_TROUBLES = new Map([
  ["EADDRINUSE", "is taken"],
  ["EACCES", "is root's alone"],
]);

async function main(): Promise<void> {
  const environment = demoEnvironment(process.env);
  const config = readConfig(environment);
  const sandboxPort = config.port + 1;
  if (config.port === 0 || sandboxPort > LAST_PORT) {
    throw new Error(
      "PORT: the demo needs a port of its own and the next one. Example: PORT=4000 ./scripts/start",
    );
  }
  refuseTaken(config.host, config.port, "Ponte");
  refuseTaken(SANDBOX_HOST, sandboxPort, "the sandbox");
  // Whoever may read the sources may run it: a service has a user of its own.
  const program = await ensureProgram();
  // As the server itself does; the demo makes its database for it.
  process.umask(0o077);
  const sandbox = await startSandbox({ port: sandboxPort, hostname: SANDBOX_HOST });
  const base = localUrl(config);
  const publicUrl = config.publicUrl ?? base;
  const addresses: Addresses = { base, publicUrl, sandbox: sandbox.url };
  const db = await openDatabase(config.database);
  try {
    await prepareDemo(db, createSecrets(appSecret(config)), { sandboxUrl: sandbox.url, publicUrl });
  } finally {
    await db.close();
  }

  const password = config.operatorPassword ?? randomBytes(9).toString("base64url");
  const apiKey = config.apiKey ?? `demo-${randomBytes(12).toString("base64url")}`;
  const server = Bun.spawn([program], {
    cwd: ROOT,
    env: {
      ...environment,
      META_GRAPH_URL: sandbox.url,
      TELEGRAM_API_URL: sandbox.url,
      ...demoPayments(sandbox.url),
      PUBLIC_URL: publicUrl,
      OPERATOR_PASSWORD: password,
      API_KEY: apiKey,
    },
    stdout: "inherit",
    stderr: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill(signal));

  const isUp = await isReady(`${base}/healthz`, server);
  // One that ended has said why. The password is known nowhere else, so it is shown even where nothing answers yet.
  if (!server.killed) {
    const shown = {
      password: config.operatorPassword ? null : password,
      apiKey: config.apiKey ? null : apiKey,
    };
    console.log(welcome(isUp, config, addresses, shown));
  }
  const code = await server.exited;
  await sandbox.stop();
  process.exit(code);
}

/** Servers share a port where several are started; a second demo there would answer half of the first one's visitors. */
function refuseTaken(hostname: string, port: number, who: string): void {
  try {
    Bun.listen({ hostname, port, socket: { data: () => undefined } }).stop(true);
  } catch (error) {
    // Whatever else is wrong with the address the server says itself.
    const trouble = PORT_TROUBLES.get(error instanceof Error ? codeOf(error) : "");
    if (trouble === undefined) return;
    throw new Error(
      `Port ${port} ${trouble}, and ${who} needs it. Choose another pair: PORT=4000 ./scripts/start`,
    );
  }
}

async function isReady(url: string, server: Bun.Subprocess): Promise<boolean> {
  for (let i = 0; i < READY_TRIES && !server.killed; i++) {
    if (await isAnswering(url)) return true;
    await Bun.sleep(READY_PAUSE_MS);
  }
  return false;
}

interface Addresses {
  readonly base: string;
  readonly publicUrl: string;
  readonly sandbox: string;
}

/** What to open and what to type. A password or key of the operator's own is not repeated. */
function welcome(
  isUp: boolean,
  config: Config,
  addresses: Addresses,
  { password, apiKey }: { readonly password: string | null; readonly apiKey: string | null },
): string {
  const { base, sandbox } = addresses;
  const sql =
    config.sqliteFile === null
      ? `psql "$DATABASE_URL" -c "select * from outbox_status"`
      : `sqlite3 ${config.sqliteFile} "select * from outbox_status"`;
  const host = config.host === DEFAULT_HOST ? "" : `HOST=${config.host} `;
  const port = config.port === DEFAULT_PORT ? "" : `PORT=${config.port} `;
  const key = apiKey === null ? "" : `API_KEY=${apiKey} `;
  const state = isUp
    ? "Ponte is running."
    : `Ponte was started, but does not answer at ${base} yet: see the log above.`;
  return `
  ${state}

  visitor    ${base}/go/demo?grim=demo&fbclid=demo-click&utm_source=facebook
  buyer      ${host}${port}${key}./scripts/visitor
             in another terminal: one visitor from the click to the delivery, hop by hop
  console    ${base}/ops${password ? `   (password, this time only: ${password})` : ""}
  commands   ${bunPrefix()}${commandPrefix(config, addresses)} bun run ponte doctor
  sandbox    ${sandbox}/   what Meta and Telegram would have received
  outbox     ${sql}

  Ctrl-C stops it.
`;
}

/** What lets a shell find a Bun that only the scripts know. */
function bunPrefix(): string {
  return process.execPath.startsWith(INSTALLED_BUN) ? `PATH="${INSTALLED_BUN}/.bin:$PATH" ` : "";
}

/** What a command of `ponte` needs in front, to look at the demo's data and ask nobody but the sandbox. */
function commandPrefix(config: Config, { publicUrl, sandbox }: Addresses): string {
  const payments = Object.entries(demoPayments(sandbox)).map(([name, value]) => `${name}=${value}`);
  return `${demoPlace(process.env, config)} PUBLIC_URL=${publicUrl} META_GRAPH_URL=${sandbox} TELEGRAM_API_URL=${sandbox} ${payments.join(" ")}`;
}

main().catch((error) => {
  console.error(failureText(error, process.env));
  process.exit(1);
});
