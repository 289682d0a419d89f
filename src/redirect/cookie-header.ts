/**
 * The values of one cookie, in the order sent: a browser sends one for each domain and path that it was set on, and
 * anybody on those may have set one. `form` answers what is kept of a value, null for one that is no such cookie.
 */
export function cookieValues(
  header: string | null,
  name: string,
  form: (value: string) => string | null,
): readonly string[] {
  // Most requests bring no cookie at all.
  if (header === null || !header.includes(name)) return [];
  const values: string[] = [];
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = form(pair.slice(equals + 1).trim());
    if (value !== null) values.push(value);
  }
  return values;
}
