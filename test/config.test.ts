import { describe, expect, test } from "bun:test";
import { ConfigError, readConfig } from "../src/config.ts";

/** The lines that a wrong setting is refused with. */
function refusal(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

describe("DATABASE_URL", () => {
  test.each([
    "mysql://user@db/ponte",
    "mongodb+srv://db/ponte",
    "https://db/ponte",
    "MYSQL://db",
    "POSTGRES://db",
  ])("%s is another database's and no file name", (DATABASE_URL) => {
    expect(refusal({ DATABASE_URL })).toEqual([
      "DATABASE_URL: must be a file or a postgres:// URL. Example: postgres://user:password@db/ponte",
    ]);
  });

  test.each([
    "data/ponte.db",
    "/var/lib/ponte.db",
    "sqlite:///tmp/p.db",
    "sqlite:p.db",
    "file:p.db",
    "file:///p.db",
    "postgres://db/ponte",
    "postgresql://db/ponte",
    ":memory:",
  ])("%s is one of ours", (DATABASE_URL) => {
    expect(readConfig({ DATABASE_URL }).database.url).toBe(DATABASE_URL);
  });
});

test("Redis keeps no copy of a visit that the database has removed", () => {
  expect(readConfig({ RETENTION_DAYS: "5" }).trackingTtlDays).toBe(5);
  expect(readConfig({ RETENTION_DAYS: "5", TRACKING_TTL_DAYS: "3" }).trackingTtlDays).toBe(3);
});

test("a transaction pooler asks for a way past it, and only before Postgres", () => {
  const DATABASE_POOLER = "transaction";
  const DATABASE_URL = "postgres://pooler:6432/ponte";
  expect(refusal({ DATABASE_POOLER, DATABASE_URL })).toEqual([
    "DATABASE_DIRECT_URL: is needed beside DATABASE_POOLER, and leads past the pooler. Example: postgres://user:password@db:5432/ponte",
  ]);
  expect(refusal({ DATABASE_POOLER, DATABASE_URL, DATABASE_DIRECT_URL: "postgres://db/ponte" })).toEqual([]);
  expect(refusal({ DATABASE_POOLER })).toEqual([]);
});

describe("PUBLIC_URL", () => {
  test.each([
    "https://go.example.com/path",
    "https://go.example.com/?a=1",
    "https://go.example.com?",
    "https://go.example.com/#x",
    "https://user:pass@go.example.com",
    "ftp://go.example.com",
    "go.example.com",
  ])("%s is no origin", (PUBLIC_URL) => {
    const [line, ...more] = refusal({ PUBLIC_URL });
    expect(line).toMatch(/^PUBLIC_URL: must be .*\. Example: https:\/\/go\.example\.com$/);
    expect(more).toEqual([]);
  });

  test.each([
    ["https://go.example.com", "https://go.example.com"],
    ["https://GO.example.com:443/", "https://go.example.com"],
    ["http://127.0.0.1:3000", "http://127.0.0.1:3000"],
  ])("%s is %s", (PUBLIC_URL, origin) => {
    expect(readConfig({ PUBLIC_URL }).publicUrl).toBe(origin);
  });
});

describe("TRUSTED_PROXIES", () => {
  test("is refused by what was written", () => {
    expect(refusal({ TRUSTED_PROXIES: "10.0.0.0/8, abc 127.1 ::1/129" })).toEqual(
      ["abc", "127.1", "::1/129"].map(
        (entry) => `TRUSTED_PROXIES: "${entry}" is no address and no CIDR. Example: 10.0.0.0/8, 127.0.0.1`,
      ),
    );
  });

  test("takes an address for the range of it alone", () => {
    expect(readConfig({ TRUSTED_PROXIES: "10.0.0.0/8, 127.0.0.1 ::1" }).trustedProxies).toEqual([
      "10.0.0.0/8",
      "127.0.0.1/32",
      "::1/128",
    ]);
  });
});
