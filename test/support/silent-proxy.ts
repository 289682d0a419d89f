import { connect, createServer, type Socket } from "node:net";

/** Between a client and a server whose connections can go silent: open, and nothing comes or goes any more. */
export async function startSilentProxy(
  target: { readonly hostname: string; readonly port: number },
  at = "127.0.0.1",
) {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket; isSilent: boolean }>();
  const listener = createServer((client) => {
    const server = connect(target.port, target.hostname);
    const pair = { client, server, isSilent: false };
    pairs.add(pair);
    const pass = (from: Socket, to: Socket) => {
      from.on("data", (chunk) => pair.isSilent || to.write(chunk));
      from.on("error", () => undefined);
      from.on("close", () => pair.isSilent || to.destroy());
    };
    pass(client, server);
    pass(server, client);
  });
  await new Promise<void>((listening) => listener.listen(0, at, listening));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    port: address.port,
    /** Every connection of this moment; those made later work. */
    silence() {
      for (const pair of pairs) pair.isSilent = true;
    },
    stop() {
      listener.close();
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
    },
  };
}
