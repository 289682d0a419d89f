/** A parsed `parse_mode: "HTML"` text: what the user sees, or why Telegram refuses it. */
type ParsedText =
  | { readonly kind: "parsed"; readonly text: string }
  | { readonly kind: "refused"; readonly description: string };

const TAGS: ReadonlySet<string> = new Set([
  "a",
  "b",
  "blockquote",
  "code",
  "del",
  "em",
  "i",
  "ins",
  "pre",
  "s",
  "span",
  "strike",
  "strong",
  "tg-emoji",
  "tg-spoiler",
  "u",
]);

const TAG = /<(\/?)([a-z0-9-]*)[^>]*>?/gi;
const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };

/** Checks tags as Telegram does (known, closed, nested) and strips them. Source: Bot API, "HTML style". */
export function parseTelegramHtml(html: string): ParsedText {
  const open: string[] = [];
  for (const match of html.matchAll(TAG)) {
    const [whole, slash, rawName = ""] = match;
    const name = rawName.toLowerCase();
    const offset = Buffer.byteLength(html.slice(0, match.index));
    if (!whole.endsWith(">")) return refused(`Unclosed start tag at byte offset ${offset}`);
    if (slash === "/") {
      const expected = open.pop();
      if (expected === undefined) return refused(`Unexpected end tag at byte offset ${offset}`);
      if (expected !== name) {
        return refused(
          `Unmatched end tag at byte offset ${offset}, expected "</${expected}>", found "</${name}>"`,
        );
      }
      continue;
    }
    if (!TAGS.has(name)) return refused(`Unsupported start tag "${name}" at byte offset ${offset}`);
    open.push(name);
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) return refused(`Can't find end tag corresponding to start tag "${unclosed}"`);
  return { kind: "parsed", text: decodeEntities(html.replaceAll(TAG, "")) };
}

function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|([a-z]+));/g, (whole: string, digits?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const point = Number(digits);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

function refused(why: string): ParsedText {
  return { kind: "refused", description: `Bad Request: can't parse entities: ${why}` };
}
