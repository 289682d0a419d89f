import { DAY_MS, HOUR_MS, MINUTE_MS } from "../platform/durations.ts";
import type { Context } from "./command.ts";

/** Prints the command's answer: as JSON where `--json` asks for it, else as a person reads it. */
export function answer({ terminal, json }: Context, data: unknown, human: () => string): void {
  terminal.out(json ? jsonText(data) : human());
}

/** JSON for people and programs; control characters above ASCII are written out as those below are: some terminals obey them. */
export function jsonText(data: unknown): string {
  return JSON.stringify(data, null, 2).replace(
    /[\u007f-\u009f]/g,
    (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
  );
}

/** A column of a table: its head, and what stands under it. */
interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => string | number | null;
}

/**
 * Rows under heads, aligned; numbers to the right. Control characters are shown, not obeyed. The last columns, where the
 * terminal has no room for them, stand below their row with their heads before them; empty ones do not.
 */
export function table<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  room = process.stdout.columns || Number.POSITIVE_INFINITY,
): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const texts = cells.map((row) => row.map(cellText));
  const widths = columns.map(({ head }, i) =>
    Math.max(Bun.stringWidth(head), ...texts.map((row) => Bun.stringWidth(row[i] ?? ""))),
  );
  const isNumber = columns.map(
    (_, i) => cells.length > 0 && cells.every((row) => typeof row[i] === "number"),
  );
  const beside = howManyFit(widths, room);
  const line = (row: readonly string[]) =>
    row
      .slice(0, beside)
      .map((text, i) => {
        const padding = " ".repeat(Math.max(0, (widths[i] ?? 0) - Bun.stringWidth(text)));
        return isNumber[i] ? padding + text : text + padding;
      })
      .join(GAP)
      .trimEnd();
  const below = (row: readonly string[]) =>
    columns.flatMap(({ head }, i) => (i < beside || row[i] === EMPTY ? [] : [`${BELOW}${head} ${row[i]}`]));
  return [line(columns.map(({ head }) => head)), ...texts.flatMap((row) => [line(row), ...below(row)])].join(
    "\n",
  );
}

const GAP = "  ";
const BELOW = "    ";
/** What stands for nothing. */
const EMPTY = "-";

/** How many columns of these widths have room beside each other; the first one always has. */
function howManyFit(widths: readonly number[], room: number): number {
  let used = -GAP.length;
  const tooFar = widths.findIndex((width) => {
    used += GAP.length + width;
    return used > room;
  });
  return tooFar === -1 ? widths.length : Math.max(1, tooFar);
}

/** Names and values under each other; what is undefined is left out. */
export function record(
  entries: readonly (readonly [name: string, value: string | number | null | undefined])[],
): string {
  const shown = entries.filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([name]) => Bun.stringWidth(name)));
  return shown
    .map(([name, value]) => `${name}${" ".repeat(width - Bun.stringWidth(name))}  ${cellText(value ?? null)}`)
    .join("\n");
}

/** One line of printable text: a user agent or an error of somebody else's must not move our cursor. */
export function cellText(value: string | number | null): string {
  if (value === null || value === "") return EMPTY;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to take out
  return String(value).replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}

/** `2 bots`, `1 bot`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** An instant without what is less than a second. */
export function second(instant: string): string {
  return instant.replace(/\.\d+Z$/, "Z");
}

/** A span of time as one reads it: `250 ms`, `3.2 s`, `5 min`, `2 h`, `3 d`. What a clock ahead of ours dated is new. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(Math.max(0, ms))} ms`;
  if (ms < MINUTE_MS) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return `${Math.round(ms / DAY_MS)} d`;
}
