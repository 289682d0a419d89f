/** @jsxImportSource @kitajs/html */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
  formats.set(key, known);
  return known;
}

const TO_SECONDS = {
  day: "2-digit",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
} as const satisfies Intl.DateTimeFormatOptions;

/** e.g. `01 Mar 2025, 17:30:00` in that IANA time zone. */
function timeText(at: Date, zone: string): string {
  return formatOf(zone, TO_SECONDS).format(at);
}

/** e.g. `01 Mar, 17:00`, for axes and tables of hours. */
export function hourText(at: Date, zone: string): string {
  return formatOf(zone, {
    day: "2-digit",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
}

/** e.g. `Sat, 01 Mar`, for tables of days. */
export function dayText(at: Date, zone: string): string {
  return formatOf(zone, { weekday: "short", day: "2-digit", month: "short" }).format(at);
}

/** An instant in the operator's time zone; machines and the pointer get it to the millisecond in UTC. */
export function TimeOf({
  at,
  zone,
}: {
  readonly at: Date | string | null;
  readonly zone: string;
}): JSX.Element {
  if (at === null) return <span class="soft">–</span>;
  const date = typeof at === "string" ? new Date(at) : at;
  const iso = date.toISOString();
  return (
    <time datetime={iso} title={iso} safe>
      {timeText(date, zone)}
    </time>
  );
}

/** e.g. `4 s`, `12 min`, `3 h 05 min`, `2 d 4 h`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 1) return `${Math.max(0, Math.round(ms))} ms`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
