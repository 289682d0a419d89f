import { dayText, hourText } from "../../../views/ops/time.tsx";

/** A week by the hour, and one more. */
const MOST_LINES = 170;

/**
 * Adds points up until they are few enough for a table: as they are, by the hour, or by the day in that zone. Pure.
 */
export function coarsen<T extends { readonly at: Date }>(
  points: readonly T[],
  zone: string,
  add: (a: T, b: T) => T,
): (T & { readonly label: string })[] {
  const byPoint = points.map((point) => ({ ...point, label: hourText(point.at, zone) }));
  if (byPoint.length <= MOST_LINES) return byPoint;
  const byHour = gather(points, (at) => `${hourText(at, zone).slice(0, -2)}00`, add);
  return byHour.length <= MOST_LINES ? byHour : gather(points, (at) => dayText(at, zone), add);
}

function gather<T extends { readonly at: Date }>(
  points: readonly T[],
  labelOf: (at: Date) => string,
  add: (a: T, b: T) => T,
): (T & { readonly label: string })[] {
  const lines = new Map<string, T>();
  for (const point of points) {
    const label = labelOf(point.at);
    const had = lines.get(label);
    lines.set(label, had ? add(had, point) : point);
  }
  return [...lines].map(([label, line]) => ({ ...line, label }));
}

/** More points than this are a thicket and no line. */
const MOST_POINTS = 360;
const STEPS = [5, 10, 15, 30, 60] as const;

/** Means of so many points each that a chart can be read; the first instant of each stands for it. Pure. */
export function smooth<T extends { readonly at: Date }>(
  points: readonly T[],
  mean: (points: readonly T[]) => T,
): { readonly points: readonly T[]; readonly step: number } {
  const step = points.length <= MOST_POINTS ? 1 : (STEPS.find((n) => points.length / n <= MOST_POINTS) ?? 60);
  if (step === 1) return { points, step };
  const means: T[] = [];
  for (let i = 0; i < points.length; i += step) means.push(mean(points.slice(i, i + step)));
  return { points: means, step };
}
