/** The parameters of a query; of a repeated one, the first. */
export interface Query {
  get(name: string): string | undefined;
}

const AMPERSAND = 38;
const EQUALS = 61;

/** A name with something to decode in it: rare, and what a search for a name as it stands would miss. */
const ENCODED_NAME = /(?:^|&)[^=&]*[%+]/;

/** No name of a query looks like this before it is decoded. */
const UNSEARCHABLE = /^$|[=&]/;

/**
 * Reads a query (without its `?`) exactly as `URLSearchParams` does, at a fraction of the cost: every request brings
 * one, few of its parameters are asked for, and what nobody asks for is neither cut out nor decoded.
 */
export function parseQuery(text: string): Query {
  const hasEncodedName = ENCODED_NAME.test(text);
  return {
    get: (name) =>
      hasEncodedName || UNSEARCHABLE.test(name)
        ? (new URLSearchParams(`?${text}`).get(name) ?? undefined)
        : searched(text, name),
  };
}

/** The value of a parameter whose name stands in the text as it is. */
function searched(text: string, name: string): string | undefined {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (at > 0 && text.charCodeAt(at - 1) !== AMPERSAND) continue;
    const end = at + name.length;
    const next = text.charCodeAt(end);
    if (next === EQUALS) {
      const ampersand = text.indexOf("&", end);
      return decoded(text.slice(end + 1, ampersand < 0 ? text.length : ampersand));
    }
    // A name alone has an empty value.
    if (next === AMPERSAND || end === text.length) return "";
  }
  return undefined;
}

function decoded(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Not valid UTF-8, or a percent sign that encodes nothing: the platform's parser knows what to make of it.
    return new URLSearchParams(`v=${text}`).get("v") ?? "";
  }
}
