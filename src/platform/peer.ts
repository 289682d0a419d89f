/** What is asked of Bun's server. */
export interface Server {
  requestIP(request: Request): { readonly address: string } | null;
}

/** Who is at the other end of the connection, which may be a proxy; null where nobody knows, as without a server in tests. */
export function peerOf(request: Request, server: Server | null): string | null {
  return server?.requestIP(request)?.address ?? null;
}
