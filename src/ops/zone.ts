/** The time zone that the operator chose, where it is one; else the installation's. */
export function zoneOf(cookie: string | undefined, home: string): string {
  if (!cookie) return home;
  try {
    const name = decodeURIComponent(cookie);
    return isZone(name) ? name : home;
  } catch {
    return home;
  }
}

export function isZone(name: string): boolean {
  if (!/^[A-Za-z0-9_+/-]{1,60}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
