import { sha256Hex } from "../platform/digests.ts";

const SHA256_HEX = /^[0-9a-f]{64}$/i;

/** Whether a value already is a SHA-256 hex digest, in either case. */
export function isSha256Hex(value: string): boolean {
  return SHA256_HEX.test(value);
}

/**
 * Meta's `external_id`: the SHA-256 digest of the exact value, trimmed, its case kept (a click id is case-sensitive).
 * A value that already is a SHA-256 digest passes in lower case; nothing, for an empty one.
 *
 * Not through Meta's library: it lower-cases the value and takes 32 hex digits (the MD5 we put for a long click id, a
 * tracking token) for a finished digest, which would send it unhashed.
 */
export function externalIdDigest(value: string | null): string | null {
  const exact = value?.trim();
  if (!exact) return null;
  return isSha256Hex(exact) ? exact.toLowerCase() : sha256Hex(exact);
}
