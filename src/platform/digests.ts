/** SHA-256 of the bytes, or of a text's in UTF-8: 64 lower-case hex digits. */
export function sha256Hex(value: string | Uint8Array): string {
  return Bun.SHA256.hash(value, "hex");
}

/** HMAC-SHA256, as 64 lower-case hex digits. */
export function hmacSha256Hex(key: string, message: string | Uint8Array): string {
  return new Bun.CryptoHasher("sha256", key).update(message).digest("hex");
}

/** Whether two strings are equal, in a time that depends on the given one's length alone. */
export function equalInConstantTime(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let i = 0; i < given.length; i++) {
    // Round and round the expected one, so that not even its length shows.
    difference |= given.charCodeAt(i) ^ expected.charCodeAt(i % expected.length);
  }
  return difference === 0;
}
