import { parseArgs } from "node:util";
import { nearest } from "../platform/nearest.ts";
import type { Terminal } from "./terminal.ts";

/** One flag: how `parseArgs` reads it, and how the help shows it. */
interface Option {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  /** What stands for the value in the help, as in `--slug <slug>`. */
  readonly value?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

const PARSING = { allowPositionals: true, allowNegative: true, strict: true, tokens: true } as const;
type Parsing<O extends Options> = typeof PARSING & { readonly args: string[]; readonly options: O };

/** The flags that were given, by name. */
export type Given<O extends Options> = ReturnType<typeof parseArgs<Parsing<O>>>["values"];

/** What a command works with besides its flags. */
export interface Context {
  readonly terminal: Terminal;
  readonly json: boolean;
}

interface CommandSpec<O extends Options> {
  /** As it is typed: `pool add`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Values without a flag, as in `<slug>`; `[id…]` is optional and takes any number. */
  readonly takes?: readonly string[];
  readonly options: O;
  /** What to know besides the flags. */
  readonly details?: string;
  readonly examples?: readonly string[];
  /** Does it. Throws `Refused` or `WrongUsage`. */
  readonly run: (given: Given<O>, values: readonly string[], context: Context) => Promise<void>;
}

/** A command as the table of commands holds it. */
export interface Command extends Omit<CommandSpec<Options>, "run"> {
  readonly run: (args: string[], context: Context) => Promise<void>;
}

/** What was typed makes no sense; exit code 2. */
export class WrongUsage extends Error {
  override readonly name = "WrongUsage";
}

/** What was asked for was refused or failed; exit code 1. The message says what to do. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** Makes a command of its description: its arguments are read strictly, and unknown ones refused with a hint. */
export function defineCommand<const O extends Options>(spec: CommandSpec<O>): Command {
  const { run, ...description } = spec;
  return {
    ...description,
    async run(args, context) {
      const { values, positionals, tokens } = readArguments(args, spec.options);
      checkPositionals(spec.takes ?? [], positionals);
      const flags = tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
      refuseRepeated(flags, spec.options);
      await run(values, positionals, context);
    },
  };
}

function readArguments<O extends Options>(args: string[], options: O) {
  try {
    const parsing: Parsing<O> = { ...PARSING, args, options };
    return parseArgs(parsing);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new WrongUsage(argumentError(error.message, options));
  }
}

/** `parseArgs`' words, shorter, and with the flag that was probably meant. */
function argumentError(message: string, options: Options): string {
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
  const valueless = /^Option '(--\S+) <value>' argument missing/.exec(message)?.[1];
  if (valueless !== undefined) return `${valueless}: its value is missing`;
  const switched = /^Option '(--\S+)' does not take an argument/.exec(message)?.[1];
  if (switched !== undefined) return `${switched} takes no value`;
  const ambiguous = /^Option '(--\S+)' argument is ambiguous/.exec(message)?.[1];
  if (ambiguous !== undefined) {
    return `${ambiguous}: its value is missing; one that begins with a hyphen is given as ${ambiguous}=-…`;
  }
  if (unknown === undefined) return message.replaceAll("\n", " ");
  const turnedOff = /^--no-(.+)/.exec(unknown)?.[1] ?? "";
  if (options[turnedOff]?.type === "boolean") return `${unknown} takes no value`;
  const guess = nearest(unknown.replace(/^-+/, ""), Object.keys(options));
  return `unknown flag ${unknown}${guess === null ? "" : `; did you mean --${guess}?`}`;
}

/** Of two values only one would count, and nobody be told which: a filter named twice would leave half undone. */
function refuseRepeated(flags: readonly string[], options: Options): void {
  const repeated = flags.find((flag, at) => !options[flag]?.multiple && flags.indexOf(flag) < at);
  if (repeated !== undefined) throw new WrongUsage(`--${repeated} was given twice; give it once`);
}

function checkPositionals(takes: readonly string[], given: readonly string[]): void {
  const needed = takes.filter((name) => name.startsWith("<"));
  const missing = needed[given.length];
  if (missing !== undefined) throw new WrongUsage(`${missing} is missing`);
  const isOpenEnded = takes.some((name) => name.includes("…"));
  const extra = given[takes.length];
  if (extra !== undefined && !isOpenEnded) throw new WrongUsage(`"${extra}" is one value too many`);
}
