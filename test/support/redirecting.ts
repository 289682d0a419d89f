/** A server that sends whoever asks elsewhere, and the paths it was asked for; `using` stops it. */
export function startRedirecting() {
  const paths: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      paths.push(new URL(request.url).pathname);
      return new Response(null, { status: 307, headers: { location: "/elsewhere" } });
    },
  });
  return { url: server.url.origin, paths, [Symbol.dispose]: () => void server.stop(true) };
}
