/** Where a server is, in the driver's terms. */
interface Place {
  readonly url: string;
  /** The folder of the server's socket. */
  readonly host?: string;
}

/**
 * `?host=/folder` in a URL names a socket, as it does for psql; the driver wants to be told so beside the URL. What it
 * names otherwise, and a URL that is none, are left to the driver.
 */
export function placeOf(url: string): Place {
  const parsed = URL.parse(url.replace("@/", "@localhost/"));
  const folder = parsed?.searchParams.get("host");
  if (!parsed || !folder?.startsWith("/")) return { url };
  parsed.searchParams.delete("host");
  return { url: parsed.href, host: folder };
}
