import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { freePort } from "../../scripts/lib/free-port.ts";
import { until } from "./until.ts";

/** PgBouncer before the database of that URL; in transaction mode with so few connections that clients share them. */
export async function startPgBouncer(
  databaseUrl: string,
  connections: number,
  mode: "transaction" | "session" = "transaction",
) {
  // Debian puts it where only root's PATH looks.
  const program = Bun.which("pgbouncer", { PATH: `${process.env.PATH}:/usr/sbin` });
  if (!program) throw new Error("pgbouncer is missing; install it (Debian's package has that name)");
  const { hostname, port: serverPort, username, password, pathname } = new URL(databaseUrl);
  const user = decodeURIComponent(username) || "postgres";
  const login = password ? `user=${user} password=${decodeURIComponent(password)}` : `user=${user}`;
  const port = freePort();
  const folder = mkdtempSync(join(tmpdir(), "ponte-pgbouncer-"));
  chmodSync(folder, 0o755);
  const settings = join(folder, "pgbouncer.ini");
  writeFileSync(
    settings,
    `[databases]
ponte = host=${hostname} port=${serverPort || 5432} dbname=${pathname.slice(1)} ${login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${connections}
`,
  );
  // It refuses root.
  const asUser = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = Bun.spawn([program, ...asUser, settings], { stdout: "ignore", stderr: "pipe" });
  const url = `postgres://ponte@127.0.0.1:${port}/ponte`;
  await until(async () => {
    if (child.exitCode !== null) {
      throw new Error(`pgbouncer ended: ${await new Response(child.stderr).text()}`);
    }
    const client = postgres(url, { max: 1, prepare: false, fetch_types: false });
    return client`select 1`
      .then(
        () => true,
        () => false,
      )
      .finally(() => client.end());
  });
  return {
    url,
    async stop(): Promise<void> {
      child.kill();
      await child.exited;
      rmSync(folder, { recursive: true });
    },
  };
}
