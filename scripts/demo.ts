import { randomBytes } from "node:crypto";
import { appSecret, type Config, ConfigError, readConfig } from "../src/config.ts";
import { openDatabase } from "../src/db/open.ts";
import { newId } from "../src/platform/ids.ts";
import { createSecrets } from "../src/platform/secrets.ts";
import { createPool } from "../src/pools/manage-pools.ts";
import { poolDraftSchema } from "../src/pools/rules.ts";
import { startSandbox } from "../src/sandbox/app.ts";

/** `./scripts/start`: a sandbox, a demo pool that delivers to it, and the server in the foreground. */

const READY_TRIES = 200;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const sandboxPort = config.port + 1;
  const sandbox = await startSandbox({ port: sandboxPort, hostname: "127.0.0.1" }).catch(() => {
    throw new Error(
      `Port ${sandboxPort} is taken, and the sandbox needs it. Choose another pair: PORT=4000 ./scripts/start`,
    );
  });
  await prepareDatabase(config);

  const password = config.operatorPassword ?? randomBytes(9).toString("base64url");
  const server = Bun.spawn(["bun", "src/main.ts"], {
    cwd: `${import.meta.dir}/..`,
    env: {
      ...process.env,
      META_GRAPH_URL: sandbox.url,
      TELEGRAM_API_URL: sandbox.url,
      OPERATOR_PASSWORD: password,
    },
    stdout: "inherit",
    stderr: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill(signal));

  const base = `http://localhost:${config.port}`;
  if (await isReady(`http://127.0.0.1:${config.port}/healthz`, server)) {
    console.log(welcome(config, base, sandbox.url, config.operatorPassword ? null : password));
  }
  const code = await server.exited;
  await sandbox.stop();
  process.exit(code);
}

/** Brings the database up to date and adds the demo pool where it is not there yet. */
async function prepareDatabase(config: Config): Promise<void> {
  const db = await openDatabase(config.database);
  try {
    await db.migrate();
    const draft = poolDraftSchema.parse({
      slug: "demo",
      name: "Ponte Demo",
      meta_pixel_id: "1234567890",
      meta_access_token: `EAAdemo${newId()}`,
      meta_cloaker_param_name: "grim",
      meta_cloaker_param_value: "demo",
      bots: [{ username: "ponte_demo_bot" }],
    });
    const secrets = createSecrets(appSecret(config));
    await createPool({ db, secrets, now: () => new Date() }, "demo", draft);
  } finally {
    await db.close();
  }
}

async function isReady(url: string, server: Bun.Subprocess): Promise<boolean> {
  for (let i = 0; i < READY_TRIES && server.exitCode === null; i++) {
    const answered = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) return true;
    await Bun.sleep(50);
  }
  return false;
}

function welcome(config: Config, base: string, sandbox: string, password: string | null): string {
  const database = config.database.url;
  const sql = database.startsWith("postgres")
    ? `psql "$DATABASE_URL" -c "select * from outbox_status"`
    : `sqlite3 ${database} "select * from outbox_status"`;
  return `
  Ponte is running.

  visitor    ${base}/go/demo?grim=demo&fbclid=demo-click&utm_source=facebook
  console    ${base}/ops${password ? `   (password, this time only: ${password})` : ""}
  sandbox    ${sandbox}/   what Meta and Telegram would have received
  outbox     ${sql}

  Ctrl-C stops it.
`;
}

main().catch((error) => {
  const lines = error instanceof ConfigError ? error.lines : [error instanceof Error ? error.message : error];
  for (const line of lines) console.error(line);
  process.exit(1);
});
