/** Where a server is, in the driver's terms. */
interface Place {
  readonly url: string;
  /** The folder of the server's socket. */
  readonly host?: string;
}

/**
 * `?host=/folder` in a URL names a socket, and `port` which of the folder's, as for psql; the driver wants to be told so
 * beside the URL, and in its host's place. What `host` names otherwise, and a URL that is none, are left to the driver.
 */
export function placeOf(url: string): Place {
  const parsed = URL.parse(url.replace(/^(\w+:\/\/(?:[^/]*@)?)\//, "$1localhost/"));
  const folder = parsed?.searchParams.get("host");
  if (!parsed || !folder?.startsWith("/")) return { url };
  parsed.port = parsed.searchParams.get("port") ?? parsed.port;
  for (const name of ["host", "port"]) parsed.searchParams.delete(name);
  return { url: parsed.href, host: folder };
}
