/** Stands where a secret stood, in answers and in the log. */
export const REDACTED = "[redacted]";

/** Meta's tokens have over a hundred characters. Taking out a word of a few letters would only spoil the answer. */
const SHORTEST_SECRET = 8;
/** A word with as much of a secret's beginning or end tells of it: some messages show half a token. */
const TELLING_PART = 12;

/** `access_token=…` and `"access_token":"…"`, whatever the token: an answer may repeat somebody else's. */
const TOKEN_PARAMETER = /(access_token\\?["']?\s*(?:=|:)\s*\\?["']?)[^\s"'\\&,}<]+/gi;

/**
 * The text without the secret, in the forms another program repeats it in: as it is, percent-encoded, inside JSON, inside
 * HTML.
 * @param isCut whether the text was cut at its end, where the secret's first half may stand
 */
export function redactSecret(text: string, secret: string, isCut: boolean): string {
  let clean = text;
  const forms = secretForms(secret);
  for (const form of forms) {
    clean = clean.replaceAll(form, REDACTED);
    if (isCut) clean = withoutPartAtEnd(clean, form);
  }
  return withoutHalves(clean, forms).replace(TOKEN_PARAMETER, `$1${REDACTED}`);
}

function secretForms(secret: string): readonly string[] {
  if (secret.length < SHORTEST_SECRET) return [];
  const json = JSON.stringify(secret).slice(1, -1);
  const percent = encodeURIComponent(secret);
  const forms = [
    secret,
    json,
    json.replaceAll("/", "\\/"),
    percent,
    percent.replace(/%../g, (hex) => hex.toLowerCase()),
    Bun.escapeHTML(secret),
  ];
  return [...new Set(forms)];
}

function withoutHalves(text: string, forms: readonly string[]): string {
  const long = forms.filter(({ length }) => length > 2 * TELLING_PART);
  const parts = long.flatMap((form) => [form.slice(0, TELLING_PART), form.slice(-TELLING_PART)]);
  if (!parts.some((part) => text.includes(part))) return text;
  return text.replace(/[^\s"'<>,;]+/g, (word) =>
    parts.some((part) => word.includes(part)) ? REDACTED : word,
  );
}

function withoutPartAtEnd(text: string, form: string): string {
  for (let length = Math.min(form.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(form.slice(0, length))) return text.slice(0, -length) + REDACTED;
  }
  return text;
}
