/** What is asked of Bun's server, as Elysia hands it on; null where there is none, as in tests. */
type Server = { requestIP(request: Request): { readonly address: string } | null } | null;

/** Who is at the other end of the connection, which may be a proxy; null where nobody knows. */
export function peerOf(request: Request, server: Server): string | null {
  return server?.requestIP(request)?.address ?? null;
}
