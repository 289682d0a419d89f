import type { Command } from "./command.ts";

const CALL = "bun run ponte";
/** The narrowest terminal in use. */
const WIDTH = 80;

/** The list of all commands. */
export function globalHelp(commands: readonly Command[]): string {
  return [
    "Ponte: from the ad's click to the Telegram bot, each conversion reported once.",
    "",
    `Usage: ${CALL} <command> [--json] [--help]`,
    `       ${CALL} --version`,
    "",
    aligned(commands.map(({ name, summary }) => [name, summary])),
    "",
    "Exit codes: 0 done, 1 refused or failed, 2 wrong usage.",
    "Settings come from the environment (DATABASE_URL, …); the README lists them.",
    `More on one command: ${CALL} <command> --help`,
  ].join("\n");
}

/** The commands that begin with one word, as in `ponte pool`. */
export function groupHelp(group: string, commands: readonly Command[]): string {
  return [
    `Usage: ${CALL} ${group} <command> [--json] [--help]`,
    "",
    aligned(commands.map(({ name, summary }) => [name, summary])),
  ].join("\n");
}

/** One command: how it is called, its flags and examples. */
export function commandHelp({ name, summary, takes = [], options, details, examples = [] }: Command): string {
  const flags = Object.entries(options).map(([flag, { value, multiple, help }]): [string, string] => [
    `--${flag}${value === undefined ? "" : ` <${value}>`}${multiple ? " …" : ""}`,
    help,
  ]);
  const sections = [
    `${summary}.`,
    "",
    `Usage: ${[CALL, name, ...takes].join(" ")}${flags.length > 0 ? " [flags]" : ""} [--json]`,
    ...(flags.length > 0 ? ["", aligned(flags)] : []),
    ...(details === undefined ? [] : ["", Bun.wrapAnsi(details, WIDTH)]),
    ...(examples.length > 0 ? ["", "Examples:", ...examples.map((example) => `  ${CALL} ${example}`)] : []),
  ];
  return sections.join("\n");
}

/** Names and what they mean, in two columns. */
function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = `\n${" ".repeat(width + 4)}`;
  return rows
    .map(([left, right]) => {
      const lines = Bun.wrapAnsi(right, WIDTH - width - 4).replaceAll("\n", indent);
      return `  ${left.padEnd(width)}  ${lines}`;
    })
    .join("\n");
}
