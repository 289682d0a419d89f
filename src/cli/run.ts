import { version } from "../../package.json";
import { ConfigError } from "../config.ts";
import { refuseUnreadEnvFile } from "../platform/env-file.ts";
import { misspeltLines } from "../platform/misspelt.ts";
import { nearest } from "../platform/nearest.ts";
import { type Command, Refused, WrongUsage } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { failureText } from "./failure.ts";
import { commandHelp, globalHelp, groupHelp } from "./help.ts";
import type { Terminal } from "./terminal.ts";

const EXIT = { done: 0, refused: 1, wrongUsage: 2 } as const;

/** Runs one command line; resolves to the exit code. Everything that goes wrong is told on `terminal.err`. */
export async function runCli(commandLine: readonly string[], terminal: Terminal): Promise<number> {
  const { words, json, help } = readGlobalFlags(commandLine);
  const found = findCommand(words);
  switch (found.kind) {
    case "none":
      if (help) terminal.out(globalHelp(COMMANDS));
      else terminal.err(globalHelp(COMMANDS));
      return help ? EXIT.done : EXIT.wrongUsage;
    case "version":
      terminal.out(`Ponte ${version}, Bun ${Bun.version}`);
      return EXIT.done;
    case "group": {
      const { group, commands } = found;
      if (help) terminal.out(groupHelp(group, commands));
      else terminal.err(`which command of ${group}?\n\n${groupHelp(group, commands)}`);
      return help ? EXIT.done : EXIT.wrongUsage;
    }
    case "unknown":
      terminal.err(
        `unknown command "${found.typed}"${found.guess === null ? "" : `; did you mean "${found.guess}"?`}\nSee: bun run ponte ${found.group}--help`,
      );
      return EXIT.wrongUsage;
    case "command":
      if (help) {
        terminal.out(commandHelp(found.command));
        return EXIT.done;
      }
      return perform(found.command, found.args, json, terminal);
  }
}

async function perform(command: Command, args: string[], json: boolean, terminal: Terminal): Promise<number> {
  try {
    refuseUnreadEnvFile();
    await command.run(args, { terminal, json });
    return EXIT.done;
  } catch (error) {
    if (error instanceof WrongUsage) {
      terminal.err(`${error.message}\nSee: bun run ponte ${command.name} --help`);
      return EXIT.wrongUsage;
    }
    if (error instanceof Refused) terminal.err(error.message);
    else if (error instanceof ConfigError) {
      // What is missing may stand under a misspelt name.
      for (const line of [...error.lines, ...misspeltLines(terminal.environment)]) terminal.err(line);
    } else terminal.err(failureText(error, terminal.environment));
    return EXIT.refused;
  }
}

type Found =
  | { readonly kind: "command"; readonly command: Command; readonly args: string[] }
  | { readonly kind: "group"; readonly group: string; readonly commands: readonly Command[] }
  /** `group` is the word that is known, with a space after it, or empty. */
  | {
      readonly kind: "unknown";
      readonly typed: string;
      readonly group: string;
      readonly guess: string | null;
    }
  | { readonly kind: "none" }
  | { readonly kind: "version" };

function findCommand(words: readonly string[]): Found {
  const [first, second = ""] = words;
  if (first === undefined) return { kind: "none" };
  if (first === "--version" || first === "version") return { kind: "version" };
  const single = COMMANDS.find(({ name }) => name === first);
  if (single) return { kind: "command", command: single, args: words.slice(1) };
  const pair = COMMANDS.find(({ name }) => name === `${first} ${second}`);
  if (pair) return { kind: "command", command: pair, args: words.slice(2) };
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0) {
    const names = COMMANDS.map(({ name }) => name);
    const candidates = [...names, ...names.map((name) => name.split(" ")[0] ?? name)];
    const typed = [first, second].join(" ").trim();
    const guess = nearest(typed, candidates) ?? nearest(first, candidates);
    return { kind: "unknown", typed, group: "", guess };
  }
  if (second === "" || second.startsWith("-")) return { kind: "group", group: first, commands: group };
  const guess = nearest(
    second,
    group.map(({ name }) => name.slice(first.length + 1)),
  );
  return {
    kind: "unknown",
    typed: `${first} ${second}`,
    group: `${first} `,
    guess: guess && `${first} ${guess}`,
  };
}

/** `--json` and `--help` may stand anywhere before a `--`; `help` stands before what it is asked about. */
function readGlobalFlags(commandLine: readonly string[]) {
  const end = commandLine.indexOf("--");
  const flags = end === -1 ? commandLine : commandLine.slice(0, end);
  const rest = end === -1 ? [] : commandLine.slice(end);
  const words = flags.filter((word) => word !== "--json" && word !== "--help" && word !== "-h");
  const asksForHelp = words[0] === "help";
  return {
    words: [...words.slice(asksForHelp ? 1 : 0), ...rest],
    json: flags.includes("--json"),
    help: asksForHelp || flags.includes("--help") || flags.includes("-h"),
  };
}
