const whole = new Intl.NumberFormat("en");

/** e.g. `1,234,567`. */
export function countText(n: number): string {
  return whole.format(n);
}

/** e.g. `1 pool`, `1,234 pools`. */
export function countedText(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${countText(n)} ${noun}s`;
}

/** A share as operators compare it: `12.3%`, `0.04%`; a dash where there is nothing to share. */
export function rateText(part: number, of: number): string {
  if (of <= 0) return "–";
  const percent = (100 * part) / of;
  if (percent === 0) return "0%";
  return `${percent.toFixed(percent < 1 ? 2 : 1)}%`;
}
