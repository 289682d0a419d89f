/** The parameters of a query; of a repeated one, the first. */
export interface Query {
  get(name: string): string | undefined;
}

/**
 * Reads a query (without its `?`) exactly as `URLSearchParams` does, at a fraction of the cost: every request brings
 * one, most of what stands in it needs no decoding, and what nobody asks for is never decoded.
 */
export function parseQuery(text: string): Query {
  const encoded = new Map<string, string>();
  for (let from = 0; from < text.length; ) {
    const ampersand = text.indexOf("&", from);
    const end = ampersand < 0 ? text.length : ampersand;
    if (end > from) {
      const equals = text.indexOf("=", from);
      const nameEnd = equals < 0 || equals > end ? end : equals;
      const name = decoded(text.slice(from, nameEnd));
      if (!encoded.has(name)) encoded.set(name, text.slice(nameEnd + 1, end));
    }
    from = end + 1;
  }
  return {
    get(name) {
      const value = encoded.get(name);
      return value === undefined ? undefined : decoded(value);
    },
  };
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
