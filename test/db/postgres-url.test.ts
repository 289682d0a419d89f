import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openDatabase } from "../../src/db/open.ts";
import { placeOf } from "../../src/db/postgres-url.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";

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
