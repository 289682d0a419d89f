/**
 * A new identifier: a UUIDv7 as 32 lowercase hex digits. Time-ordered, so that unique indexes are appended to
 * rather than written all over; its first 48 bits are Unix milliseconds.
 */
export function newId(): string {
  return Bun.randomUUIDv7().replaceAll("-", "");
}
