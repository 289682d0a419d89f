/**
 * The text as both databases take it: without NUL and halves of characters (lone surrogates), which Postgres refuses.
 * What is left may be empty.
 */
export function storableText(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}
