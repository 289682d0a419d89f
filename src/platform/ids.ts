/**
 * A new identifier: a UUIDv7 as 32 lowercase hex digits. Time-ordered, so that unique indexes are appended to
 * rather than written all over; its first 48 bits are Unix milliseconds.
 */
export function newId(): string {
  return Bun.randomUUIDv7().replaceAll("-", "");
}

/** The smallest identifier that can be made at that time, in Unix milliseconds. */
export function firstIdAt(atMs: number): string {
  return Math.max(0, atMs).toString(16).padStart(12, "0").padEnd(32, "0");
}

/** Whether the text has an identifier's form. What has not is not asked for: some of it (a NUL) no database would take. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
