import { describe, expect, test } from "bun:test";
import { variables } from "../src/config/variables.ts";
import { readConfig } from "../src/config.ts";
import { refusal } from "./support/refused-settings.ts";

describe("a wrong value", () => {
  const SECRET = /SECRET|PASSWORD|TOKEN|KEY/;
  // Any word may be the name of a machine, a file or a folder.
  const names = Object.keys(variables.shape).filter(
    (name) => !["HOST", "DATABASE_URL", "DATA_DIR"].includes(name),
  );

  test.each(names.filter((name) => !SECRET.test(name)))(
    "of %s is refused in one short line, in our own words, with what was given and an example",
    (name) => {
      for (const value of ["x", "-1", "http://", "nonsense".repeat(50)]) {
        const [line = "", ...more] = refusal({ [name]: value });
        expect(more).toEqual([]);
        expect(line).toMatch(new RegExp(`^${name}: ("|must be ).*\\. Example: .+`));
        expect(line).toContain(`"${value.slice(0, 80)}`);
        expect(line).not.toMatch(/Invalid|expected/);
        expect(line.length).toBeLessThan(250);
      }
    },
  );

  test.each(names.filter((name) => SECRET.test(name)))("of %s is refused by its length alone", (name) => {
    const lines = refusal({ [name]: "hushing" });
    const [line, ...more] = lines.filter((text) => text.startsWith(`${name}:`));
    expect(line).toMatch(
      new RegExp(`^${name}: must (have .* characters, not 7|be .* base64, not 5)\\. Example: .+`),
    );
    expect(more).toEqual([]);
    expect(lines.join()).not.toContain("hushing");
  });

  test.each(["a-key-of-many-letters\n", " a-key-of-many-letters", " ".repeat(20)])(
    "of API_KEY is one that no header can carry: %j",
    (API_KEY) => {
      expect(refusal({ API_KEY })).toEqual([
        "API_KEY: must not begin or end with a blank or a line end. Example: the output of `openssl rand -hex 24`",
      ]);
    },
  );

  test.each(["a key with blanks in it", "a-key-of-many-lëtters", "a-key-of-many\u0000letters"])(
    "of API_KEY is one of which a header carries a part at most: %j",
    (API_KEY) => {
      expect(refusal({ API_KEY })).toEqual([
        "API_KEY: must be of ASCII letters, digits and signs, without blanks, since a header carries nothing else. Example: the output of `openssl rand -hex 24`",
      ]);
    },
  );

  test("of a provider's account or webhook is one that no header can carry", () => {
    const text = "a token of many words";
    const names = refusal({
      STRIPE_SECRET_KEY: text,
      STRIPE_WEBHOOK_SECRET: text,
      MERCADOPAGO_ACCESS_TOKEN: text,
      MERCADOPAGO_WEBHOOK_SECRET: text,
      PUSHINPAY_TOKEN: text,
      PUSHINPAY_WEBHOOK_TOKEN: text,
    }).map((line) => line.replace(/:.*/, ""));
    expect(names).toEqual([
      "STRIPE_SECRET_KEY",
      "MERCADOPAGO_ACCESS_TOKEN",
      "PUSHINPAY_TOKEN",
      "PUSHINPAY_WEBHOOK_TOKEN",
    ]);
  });

  test.each([
    ["API_KEY", 512],
    ["OPERATOR_PASSWORD", 1_000],
  ])("of %s is one of more than %d characters, which nobody could give", (name, longest) => {
    expect(refusal({ [name]: "~".repeat(longest) })).toEqual([]);
    const [line] = refusal({ [name]: "~".repeat(longest + 1) });
    expect(line).toContain(`${name}: must have at most ${longest} characters, not ${longest + 1}. Example: `);
  });

  test("is told together with what is missing", () => {
    const names = refusal({
      PORT: "none",
      STRIPE_SECRET_KEY: "short",
      DATABASE_URL: "postgres://pooler/ponte",
      DATABASE_POOLER: "transaction",
    }).map((line) => line.replace(/:.*/, ""));
    expect(names).toEqual(["PORT", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "DATABASE_DIRECT_URL"]);
  });

  test("shows blanks and line ends", () => {
    expect(refusal({ PORT: "3000\r" })).toEqual([
      'PORT: must be a whole number from 0 to 65535, not "3000\\r". Example: 3000',
    ]);
  });

  test("names what it may be, where that is one of a few words", () => {
    expect(refusal({ ROLE: "Web" })).toEqual([
      'ROLE: must be all or web or dispatcher, not "Web". Example: all',
    ]);
  });

  test("takes an offset for no time zone: older browsers know names alone", () => {
    expect(refusal({ TZ_DISPLAY: "Asia/Kolkata" })).toEqual([]);
    expect(refusal({ TZ_DISPLAY: "+05:30" })).toEqual([
      'TZ_DISPLAY: must be the IANA name of a time zone, not "+05:30". Example: America/Sao_Paulo',
    ]);
  });

  test.each([
    ["PUBLIC_URL", "https://me:hush@go.example.com", '"https://…@go.example.com"'],
    ["PUBLIC_URL", "me:hush@go.example.com/?key=hush", '"…@go.example.com/?…"'],
    ["META_GRAPH_URL", "graph.example.com?access_token=hush", '"graph.example.com?…"'],
    ["DATABASE_URL", "mysql://me:hu@sh@db/ponte", '"mysql://…@db/ponte"'],
    ["DATABASE_DIRECT_URL", "me:hush@db/ponte", '"…@db/ponte"'],
    ["REDIS_URL", "redis:/:hush@db", '"…@db"'],
    ["REDIS_URL", "cache.example.com:6380,password=hush=,ssl=True", '"cache.example.com:6380,password=…"'],
    ["DATABASE_DIRECT_URL", "host=db user=me password=hush", '"host=db user=me password=…"'],
    ["DATABASE_URL", "host=db user=me password = 'hush'", '"host=db user=me password =…"'],
    ["DATABASE_URL", '"postgres://me:hush@db/ponte"', '"…@db/ponte\\""'],
    ["PUBLIC_URL", "https://go.example.com/#hush", '"https://go.example.com/#…"'],
    ["TELEGRAM_API_URL", `api.example.com/bot123456789:${"hush-".repeat(7)}/x`, '"api.example.com/bot…/x"'],
    ["META_GRAPH_URL", `EAA${"hush".repeat(9)}`, '"…"'],
    ["STRIPE_API_URL", "sk_live_hush", '"…"'],
    ["MERCADOPAGO_API_URL", "APP_USR-123-hush", '"…"'],
  ])("of %s is shown without what may be secret in %s", (name, value, shown) => {
    const [line, ...more] = refusal({ [name]: value });
    expect(line).toContain(`, not ${shown}. Example: `);
    expect(more).toEqual([]);
  });

  test.each([
    ["DATABASE_URL", "postgres://me:hu#sh@db/ponte"],
    ["DATABASE_URL", "postgres://me:hu%sh@db/ponte"],
    ["DATABASE_URL", "postgres://me:hush@db:port/ponte"],
    ["DATABASE_DIRECT_URL", "postgres://me:hu/sh@db/ponte"],
    ["REDIS_URL", "redis://:hu?sh@db"],
    ["REDIS_URL", "redis://db-1:6379,db-2:6379"],
  ])(
    "of %s that no driver can take apart is refused, and says how a password is written: %s",
    (name, value) => {
      const [line, ...more] = refusal({ [name]: value });
      expect(line).toStartWith(`${name}: must be a whole URL (in a password write # as %23`);
      expect(line).not.toMatch(/hu.?sh/);
      expect(more).toEqual([]);
    },
  );
});

describe("DATABASE_URL", () => {
  test.each([
    "mysql://user@db/ponte",
    "mongodb+srv://db/ponte",
    "https://db/ponte",
    "MYSQL://db",
    "POSTGRES://db",
    "postgres:db",
    "postgres//db/ponte",
    "'postgres://db/ponte'",
    " postgres://db/ponte",
    "jdbc:postgresql://db/ponte",
    "sqlite:",
    "sqlite://",
    " ",
    ":memory:",
    "sqlite::memory:",
  ])("%j is another database's or nothing, and no file name", (DATABASE_URL) => {
    const [line, ...more] = refusal({ DATABASE_URL });
    expect(line).toStartWith("DATABASE_URL: must be a file or a postgres:// URL, not ");
    expect(more).toEqual([]);
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
    "postgres://me:p%40ss@db:5432/ponte?sslmode=require",
    "postgres://me:pass,word@db-1:5432,db-2:5432/ponte",
    "postgres:///ponte?host=/var/run/postgresql",
    "postgres://ponte@/ponte?host=/var/run/postgresql",
  ])("%s is one of ours", (DATABASE_URL) => {
    expect(readConfig({ DATABASE_URL }).database.url).toBe(DATABASE_URL);
  });
});

describe("REDIS_URL", () => {
  test.each([
    "redis://cache",
    "redis://cache:6379/",
    "rediss://ponte:p%40ss@cache:6380/3?family=6",
    "redis://[::1]:6379/0",
  ])("%s is one, and stays as it is", (REDIS_URL) => {
    expect(readConfig({ REDIS_URL }).redisUrl).toBe(REDIS_URL);
  });

  test("that names a socket becomes its path", () => {
    const REDIS_URL = "unix:///run/redis.sock?db=2&password=hush";
    expect(readConfig({ REDIS_URL }).redisUrl).toBe("/run/redis.sock?db=2&password=hush");
  });

  test.each(["redis:///run/redis.sock", "redis://localhost/ponte"])(
    "%s would be taken for a server on this machine, and is refused",
    (REDIS_URL) => {
      const [line, ...more] = refusal({ REDIS_URL });
      expect(line).toContain(`(a socket's begins with unix://), not "${REDIS_URL}"`);
      expect(more).toEqual([]);
    },
  );
});

test("Redis keeps no copy of a visit that the database has removed", () => {
  expect(readConfig({ RETENTION_DAYS: "5" }).trackingTtlDays).toBe(5);
  expect(readConfig({ RETENTION_DAYS: "5", TRACKING_TTL_DAYS: "3" }).trackingTtlDays).toBe(3);
});

test("a transaction pooler asks for a way past it", () => {
  const DATABASE_POOLER = "transaction";
  const DATABASE_URL = "postgres://pooler:6432/ponte";
  expect(refusal({ DATABASE_POOLER, DATABASE_URL })).toEqual([
    "DATABASE_DIRECT_URL: is needed beside DATABASE_POOLER, and leads past the pooler. Example: postgres://user:password@db:5432/ponte",
  ]);
  expect(refusal({ DATABASE_POOLER, DATABASE_URL, DATABASE_DIRECT_URL: "postgres://db/ponte" })).toEqual([]);
});

test("what only Postgres has starts no SQLite file instead, and says how to go on", () => {
  const DATABASE_DIRECT_URL = "postgres://db:5432/ponte";
  const DATABASE_POOLER = "transaction";
  const line = (names: string) =>
    `DATABASE_URL: must be a postgres:// URL beside ${names}; without them it may be a SQLite file. Example: postgres://user:password@db/ponte`;
  expect(refusal({ DATABASE_DIRECT_URL })).toEqual([line("DATABASE_DIRECT_URL")]);
  expect(refusal({ DATABASE_POOLER, DATABASE_URL: "ponte.db" })).toEqual([line("DATABASE_POOLER")]);
  expect(refusal({ DATABASE_POOLER, DATABASE_DIRECT_URL, DATABASE_URL: "ponte.db" })).toEqual([
    line("DATABASE_DIRECT_URL and DATABASE_POOLER"),
  ]);
  expect(refusal({ DATABASE_DIRECT_URL: "", DATABASE_POOLER: "" })).toEqual([]);
  expect(refusal({ DATABASE_DIRECT_URL, DATABASE_URL: "mysql://db" })).toEqual([
    expect.stringContaining("DATABASE_URL: must be a file or a postgres:// URL, not "),
  ]);
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

describe("where an API is", () => {
  const names = ["META_GRAPH_URL", "TELEGRAM_API_URL", "STRIPE_API_URL"] as const;

  test.each(names)("is no address whose query or fragment would swallow our paths: %s", (name) => {
    for (const value of [
      "https://api.example.com?",
      "https://api.example.com/#a",
      "https://api.example.com/v1?a=1",
    ]) {
      const [line, ...more] = refusal({ [name]: value });
      expect(line).toStartWith(`${name}: must be an http:// or https:// URL without ? and #, not `);
      expect(more).toEqual([]);
    }
  });

  test("is taken without what a blank or a slash at its end would do to our paths", () => {
    const { meta } = readConfig({ META_GRAPH_URL: " http://127.0.0.1:3001/graph// " });
    expect(meta.graphUrl).toBe("http://127.0.0.1:3001/graph");
    expect(readConfig({ TELEGRAM_API_URL: "http://127.0.0.1:3001 " }).telegramApiUrl).toBe(
      "http://127.0.0.1:3001",
    );
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

test("a whole number may be either of its bounds, and nothing beyond them", () => {
  for (const value of ["1", "36500"])
    expect(readConfig({ RETENTION_DAYS: value }).retentionDays).toBe(Number(value));
  for (const value of ["0", "36501"]) expect(refusal({ RETENTION_DAYS: value })).toHaveLength(1);
});

test("APP_SECRET has 32 bytes, no fewer and no more", () => {
  const ofBytes = (count: number) => ({ APP_SECRET: Buffer.alloc(count, 1).toString("base64") });
  expect(readConfig(ofBytes(32)).appSecret).toHaveLength(32);
  for (const count of [31, 33]) expect(refusal(ofBytes(count))).toHaveLength(1);
});

test.each([
  ["13", 1_300],
  ["13.5", 1_350],
  ["13.05", 1_305],
  ["0", null],
])("%s dollars for 1 000 Stars are %p cents", (STARS_USD_PER_1000, cents) => {
  expect(readConfig({ STARS_USD_PER_1000 }).payments.starsUsdMinorPerThousand).toBe(cents);
});

test("PushinPay's webhook may have a token of its own, which is of no use without the account's", () => {
  const [PUSHINPAY_TOKEN, PUSHINPAY_WEBHOOK_TOKEN] = ["the-account's", "the-webhook's"];
  expect(readConfig({ PUSHINPAY_TOKEN }).payments.pushinpay?.webhookToken).toBeNull();
  expect(readConfig({ PUSHINPAY_TOKEN, PUSHINPAY_WEBHOOK_TOKEN }).payments.pushinpay?.webhookToken).toBe(
    PUSHINPAY_WEBHOOK_TOKEN,
  );
  expect(refusal({ PUSHINPAY_WEBHOOK_TOKEN })).toEqual([
    expect.stringContaining("PUSHINPAY_TOKEN: is missing"),
  ]);
});
