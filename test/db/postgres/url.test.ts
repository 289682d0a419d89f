import { expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { sql } from "drizzle-orm";
import { openDatabase } from "../../../src/db/open.ts";
import { placeOf } from "../../../src/db/postgres/url.ts";
import { createTestDatabase, testDialect } from "../../support/database.ts";
import { startSilentProxy } from "../../support/silent-proxy.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);

test.skipIf(testDialect === "sqlite")("a server on the same machine is reached by its socket", async () => {
  const own = await createTestDatabase();
  const [server] = await own.db.rows<{ folder: string }>(
    sql`select current_setting('unix_socket_directories') as folder`,
  );
  const bySocket = new URL(own.url);
  bySocket.searchParams.set("host", server?.folder ?? "");
  const db = await openDatabase({ url: bySocket.href });
  const [client] = await db.rows<{ address: string | null }>(sql`select inet_client_addr() as address`);
  expect(client?.address).toBeNull();
  await db.close();
  await own.dispose();
});

test("a socket's folder is told apart from the URL, whose host may be left out", () => {
  expect(placeOf("postgres://ponte:p%40ss@/shop?host=/var/run/postgresql&sslmode=disable")).toEqual({
    url: "postgres://ponte:p%40ss@localhost/shop?sslmode=disable",
    host: "/var/run/postgresql",
  });
  expect(placeOf("postgres:///shop?host=/run/postgresql&port=5433")).toEqual({
    url: "postgres://localhost:5433/shop",
    host: "/run/postgresql",
  });
  const onNetwork = "postgres://ponte:secret@db:5433/shop?sslmode=require";
  expect(placeOf(onNetwork)).toEqual({ url: onNetwork });
});

test.skipIf(testDialect === "sqlite" || !hasIpv6)(
  "a server is reached by its IPv6 address, alone and after one that is away",
  async () => {
    const own = await createTestDatabase();
    const { hostname, port, pathname } = new URL(own.url);
    const proxy = await startSilentProxy({ hostname, port: Number(port || 5432) }, "::1");
    for (const before of ["", "127.0.0.1:1,"]) {
      const url = own.url.replace(/[^/@]+(?=\/\w+$)/, `${before}[::1]:${proxy.port}`);
      const db = await openDatabase({ url });
      const rows = await db.rows<{ database: string }>(sql`select current_database() as database`);
      expect(rows).toEqual([{ database: pathname.slice(1) }]);
      await db.close();
    }
    proxy.stop();
    await own.dispose();
  },
);
