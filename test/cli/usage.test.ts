import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json";
import { COMMANDS } from "../../src/cli/commands.ts";
import { cellText, duration, jsonText, record, table } from "../../src/cli/print.ts";
import { runCli } from "../../src/cli/run.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { nearest } from "../../src/platform/nearest.ts";
import { runProgram } from "../support/run-program.ts";
import { ponte } from "./ponte.ts";

// In a folder of our own: what a fixed path leads to is the machine's, where root may have made something.
const folder = mkdtempSync(join(tmpdir(), "ponte-usage-"));
afterAll(() => rmSync(folder, { recursive: true }));
const NO_DATABASE = join(folder, "none", "ponte.db");

const run = (...args: string[]) => runWith({}, ...args);

/** Runs a command line in this process, where no command that it starts needs more than that. */
async function runWith(change: Partial<Terminal>, ...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const terminal: Terminal = {
    environment: { DATABASE_URL: NO_DATABASE },
    isInteractive: false,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    progress: () => undefined,
    confirm: async () => false,
    readSecret: async () => "7001:a-token-of-a-bot-or-of-a-pixel-comes-in",
    ...change,
  };
  const code = await runCli(args, terminal);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

describe("the command line", () => {
  test("as a process: help goes to stdout with 0, a missing command to stderr with 2", async () => {
    const help = await ponte(["--help"]);
    expect(help).toMatchObject({ code: 0, err: "" });
    for (const { name } of COMMANDS) expect(help.out).toContain(`  ${name} `);
    expect(help.out).toContain("Exit codes: 0 done, 1 refused or failed, 2 wrong usage.");
    const nothing = await ponte([]);
    expect(nothing).toMatchObject({ code: 2, out: "" });
    expect(nothing.err).toContain("Usage:");
  });

  test("whoever reads no further, as head does, makes it no failure", async () => {
    const line = `"${process.execPath}" src/cli/main.ts --help | true; echo "\${PIPESTATUS[0]}"`;
    expect(await runProgram(["bash", "-c", line])).toEqual({ code: 0, out: "0\n", err: "" });
  });

  test("what stands after -- is no flag", async () => {
    for (const word of ["--help", "--json"]) {
      const { code, err } = await run("pool", "show", "--", word);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^There is no database/) });
    }
  });

  test("what works on a database asks about a misspelt setting, on stderr: it may be another one than was meant", async () => {
    const environment = { DATABASE_URL: NO_DATABASE, DATABASE_DIRECT_URI: "postgres://db/ponte" };
    const { code, out, err } = await runWith({ environment }, "pool", "list", "--json");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      `DATABASE_DIRECT_URI is no setting of Ponte's. Did you mean DATABASE_DIRECT_URL?\nThere is no database at ${NO_DATABASE}. Make it with: bun run ponte migrate`,
    );
  });

  test("where settings are wrong, what is missing may stand under a misspelt name", async () => {
    const environment = { STRIPE_SECRET_KEY: "sk_test_12345678", STRIPE_WEBHOK_SECRET: "whsec_12345678" };
    expect(await runWith({ environment }, "pool", "list")).toEqual({
      code: 1,
      out: "",
      err: "STRIPE_WEBHOOK_SECRET: is missing, and STRIPE_SECRET_KEY is of no use without it. Example: whsec_…\nSTRIPE_WEBHOK_SECRET is no setting of Ponte's. Did you mean STRIPE_WEBHOOK_SECRET?",
    });
  });

  test("bun run shows nothing but the command's own words: its arguments may be secrets", async () => {
    const command = [process.execPath, "run", "ponte", "bot", "add", "--tokn", "s3cret"];
    expect(await runProgram(command)).toEqual({
      out: "",
      err: "unknown flag --tokn; did you mean --token?\nSee: bun run ponte bot add --help\n",
      code: 2,
    });
  });

  test("says which version it is, of Ponte and of Bun", async () => {
    expect(await run("--version")).toEqual({ code: 0, out: `Ponte ${version}, Bun ${Bun.version}`, err: "" });
  });

  test("every command explains itself", async () => {
    for (const command of COMMANDS) {
      const help = await run(...command.name.split(" "), "--help");
      expect(help.code).toBe(0);
      expect(help.out).toContain(`Usage: bun run ponte ${command.name}`);
      for (const flag of Object.keys(command.options)) expect(help.out).toContain(`--${flag}`);
    }
  });

  test("help has room on a narrow terminal, but for examples, which are copied whole", async () => {
    const asked = [[], ...COMMANDS.map(({ name }) => name.split(" "))];
    const lines = (await Promise.all(asked.map((words) => run("help", ...words)))).flatMap(({ out }) =>
      out.split("\n"),
    );
    expect(lines.filter((line) => line.length > 80 && !line.startsWith("  bun run ponte"))).toEqual([]);
  });

  test("help may be asked for by its name", async () => {
    for (const words of [[], ["pool"], ["pool", "add"]])
      expect(await run("help", ...words)).toEqual(await run(...words, "--help"));
  });

  test("every example in the help is read without complaint about its flags", async () => {
    for (const command of COMMANDS) {
      for (const example of command.examples ?? []) {
        if (example.startsWith("sandbox")) continue;
        const args = [...example.matchAll(/'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2] ?? "");
        const ran = await runWith({ isInteractive: true }, ...args);
        expect({ example, ...ran }).toMatchObject({ code: 1 });
        expect(ran.err).toContain(`There is no database at ${NO_DATABASE}`);
      }
    }
  });

  test("a group lists its commands", async () => {
    const help = await run("pool", "--help");
    expect(help.code).toBe(0);
    expect(help.out).toContain("pool update");
    expect(help.out).not.toContain("bot add");
    expect((await run("pool")).code).toBe(2);
  });

  test.each([
    [["pol"], 'did you mean "pool"?'],
    [["pool", "lst"], 'did you mean "pool list"?'],
    [["pool", "frobnicate"], 'unknown command "pool frobnicate"\nSee: bun run ponte pool --help\n'],
    [["pool"], "which command of pool?\n\nUsage: bun run ponte pool <command>"],
    [["pool", "--slug", "x"], "which command of pool?\n\nUsage: bun run ponte pool <command>"],
    [["migrat"], 'did you mean "migrate"?'],
    [["outbox", "retyr"], 'did you mean "outbox retry"?'],
    [["frobnicate"], 'unknown command "frobnicate"\nSee: bun run ponte --help\n'],
    [["pool", "add", "--slgu", "x"], "unknown flag --slgu; did you mean --slug?"],
    [["pool", "add", "--frobnicate"], "unknown flag --frobnicate\n"],
    [["pool", "add", "--slug"], "--slug: its value is missing\n"],
    [["pool", "add", "--enabled=no"], "--enabled takes no value\n"],
    [["pool", "add", "--no-enabled=yes"], "--no-enabled takes no value\n"],
    [["pool", "add", "--no-slug=yes"], "unknown flag --no-slug"],
    [
      ["pool", "add", "--auto-continue-ms", "-5"],
      "--auto-continue-ms: its value is missing; one that begins with a hyphen is given as --auto-continue-ms=-…\n",
    ],
    [
      ["pool", "add", "--slug", "ok", "--bot", "shop_bot", "--strategy", "random"],
      "--strategy: one of weighted, round_robin, least_used\n",
    ],
    [["pool", "add"], "--slug is missing\n--bot is missing\n"],
    [["pool", "add", "--slug", "ok"], "--bot is missing"],
    [
      ["pool", "add", "--pixel-id", "x", "--strategy", "random", "--access-token", "-"],
      "--slug is missing\n--strategy: one of weighted, round_robin, least_used\n--pixel-id: up to 20 digits\n--bot is missing\n",
    ],
    [["offer", "add", "--bot", "shop_bot", "--price", "1"], "--name is missing\n--description is missing\n"],
    [["pool", "add", "--slug", "Not ok", "--bot", "shop_bot"], "--slug: "],
    [
      ["pool", "add", "--slug", "ok", "--bot", "shop_bot:0"],
      "--bot: a weight is a whole number from 1 to 1000",
    ],
    [["pool", "add", "--slug", "ok", "--bot", "shop_bot:x"], "--bot: "],
    [["pool", "add", "--slug", "ok", "--bot", "shop_bot", "--gate-param", "grim"], "--gate-param: "],
    [["pool", "add", "--slug", "ok", "--bot", "shop_bot", "--gate-param", "fbclid=abc"], "--gate-param: "],
    [["pool", "add", "--slug", "ok", "--bot", "shop_bot", "--pixel-id", "x"], "--pixel-id: up to 20 digits"],
    [["pool", "show"], "<slug> is missing"],
    [["pool", "show", "a", "b"], '"b" is one value too many'],
    [["pool", "update", "a"], "nothing to change was named"],
    [["pool", "update", "a", "--enabled", "--no-enabled"], "--enabled was given twice"],
    [["outbox", "discard", "--pool", "a", "--pool", "b", "--yes"], "--pool was given twice; give it once\n"],
    [["pool", "update", "a", "--slug", "b", "--name", "B"], "name the pool once; its slug"],
    [["bot", "add", "--username", "x"], "--username: "],
    [["bot", "add", "--locale", "fr"], "--username is missing\n--locale: one of pt-BR, en\n"],
    [["bot", "add", "--username", "shop_bot", "--token", "nonsense"], "--token: "],
    [["outbox", "list", "--status", "lost"], "--status: "],
    [["outbox", "list", "--limit", "0"], "--limit: "],
    [["outbox", "list", "--cursor", "x"], '--cursor: "x" is not'],
    [["outbox", "retry"], "name events by number"],
    [["outbox", "retry", "1", "--all"], "either numbers or a filter"],
    [["outbox", "discard", "one"], '"one" is not'],
    [["outbox", "discard", "0"], '"0" is not'],
    [["outbox", "discard", "9".repeat(16)], '"9999999999999999" is not'],
    [["outbox", "pause", "1", "--destination", "moon"], "--destination: "],
    [["session", "show", "a", "--event", "b"], "and only one"],
    [["session", "show"], "give a tracking token"],
    [["payment", "show"], "<id> is missing"],
    [["api-key", "add", "--name", "x", "--scope", "all"], "--scope: "],
    [["api-key", "add", "--scope", "all"], "--name is missing\n--scope: one of read, write\n"],
    [["sandbox", "--port", "99999"], "--port: "],
  ])("%p is wrong usage and says why", async (args, words) => {
    const ran = await run(...args);
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(`${ran.err}\n`).toContain(words);
  });

  test.each([
    ["pool add --bot shop_bot --access-token -", "--slug ok"],
    ["bot add --token -", "--username shop_bot"],
  ])("%s asks for the secret once nothing else is wrong", async (line, rest) => {
    let asked = 0;
    const readSecret = async () => `${++asked}:token`;
    expect(await runWith({ readSecret }, ...line.split(" "))).toMatchObject({ code: 2 });
    expect(asked).toBe(0);
    expect(await runWith({ readSecret }, ...`${line} ${rest}`.split(" "))).toMatchObject({ code: 1 });
    expect(asked).toBe(1);
  });

  test.each(["outbox retry 1", "outbox discard --all", "privacy erase --customer 1"])(
    "%s acts for good, and does not where nobody can be asked",
    async (line) => {
      const words = line.split(" ");
      const unasked = await run(...words);
      expect(unasked).toMatchObject({ code: 2, out: "" });
      expect(unasked.err).toContain("give --yes");
      for (const flag of ["--yes", "--dry-run"]) expect((await run(...words, flag)).code).toBe(1);
    },
  );

  test("wrong settings are told one line a variable", async () => {
    const ran = await ponte(["pool", "list"], {
      PORT: "many",
      LOG_LEVEL: "loud",
      DATABASE_POOLER: "statement",
    });
    expect(ran.code).toBe(1);
    expect(ran.err.trim().split("\n")).toEqual([
      expect.stringMatching(/^PORT: .*Example: 3000$/),
      expect.stringMatching(/^DATABASE_POOLER: /),
      expect.stringMatching(/^LOG_LEVEL: /),
    ]);
  });

  test("a port that is taken, or an address that is none, is a refusal with both", async () => {
    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const port = String(other.port);
    for (const flags of [
      ["--port", port],
      ["--port", port, "--host", "no.such.host.invalid"],
    ]) {
      const ran = await run("sandbox", ...flags);
      expect(ran).toMatchObject({ code: 1, out: "" });
      expect(ran.err).toMatch(
        new RegExp(`cannot listen on ${flags[3] ?? "127.0.0.1"}, port ${port}: .*\nStop what`),
      );
    }
    other.stop(true);
  });

  test("a database that is not there is a refusal that says what to do, without its password", async () => {
    const file = await ponte(["pool", "list"], { DATABASE_URL: NO_DATABASE });
    expect(file).toMatchObject({ code: 1, out: "" });
    expect(file.err).toContain("bun run ponte migrate");
    const server = await ponte(["pool", "list"], {
      DATABASE_URL: "postgres://me:hush-hush@127.0.0.1:1/ponte",
    });
    expect(server.code).toBe(1);
    expect(server.err).toContain("DATABASE_URL");
    expect(server.err).not.toContain("hush-hush");
    expect(server.err).not.toContain("    at ");
  });
});

describe("a mistyped word", () => {
  test.each([
    ["slgu", "slug"],
    ["pixelid", "pixel-id"],
    ["pix", "pixel-id"],
    ["access-tokn", "access-token"],
  ])("%s is taken for %s", (word, meant) => {
    expect(nearest(word, ["name", "slug", "pixel-id", "access-token"])).toBe(meant);
  });

  test.each(["frobnicate", "x", ""])("%j is like none", (word) => {
    expect(nearest(word, ["name", "slug", "pixel-id"])).toBeNull();
  });
});

describe("what is printed", () => {
  test("stands in columns, numbers to the right, wide characters reckoned with", () => {
    const rows = [
      { name: "ação", n: 5 },
      { name: "日本", n: 12345 },
    ];
    expect(
      table(rows, [
        { head: "NAME", cell: ({ name }) => name },
        { head: "N", cell: ({ n }) => n },
      ]),
    ).toBe("NAME      N\nação      5\n日本  12345");
  });

  test("stands below its row, with its head, where the terminal has no room beside it", () => {
    const rows = [
      { id: 7, name: "seven", error: "it failed" },
      { id: 12, name: "twelve", error: null },
    ];
    const columns = [
      { head: "ID", cell: ({ id }: (typeof rows)[number]) => id },
      { head: "NAME", cell: ({ name }: (typeof rows)[number]) => name },
      { head: "LAST ERROR", cell: ({ error }: (typeof rows)[number]) => error },
    ];
    const narrow = "ID  NAME\n 7  seven\n    LAST ERROR it failed\n12  twelve";
    expect(table(rows, columns, 21)).toBe(narrow);
    expect(table(rows, columns, 22)).toBe("ID  NAME    LAST ERROR\n 7  seven   it failed\n12  twelve  -");
  });

  test("leaves out what is undefined and shows what is empty", () => {
    expect(
      record([
        ["A", "x"],
        ["Long", null],
        ["Gone", undefined],
      ]),
    ).toBe("A     x\nLong  -");
  });

  test("obeys no control character of somebody else's text", () => {
    const hostile = "a\u001b[31m\nb\u0000\u009bc";
    expect(cellText(hostile)).toBe("a [31m b c");
    expect(jsonText({ hostile })).not.toMatch(/[^\P{Cc}\n]/u);
    expect(JSON.parse(jsonText({ hostile }))).toEqual({ hostile });
  });

  test.each([
    [-300, "0 ms"],
    [5, "5 ms"],
    [1_500, "1.5 s"],
    [90_000, "2 min"],
    [7_200_000, "2 h"],
    [259_200_000, "3 d"],
  ])("%d ms reads %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
