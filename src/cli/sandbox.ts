import { errorText } from "../platform/errors.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import { answer } from "./print.ts";

export const sandbox = defineCommand({
  name: "sandbox",
  summary: "Run a stand-in for Meta, Telegram and payment providers",
  options: {
    port: { type: "string", value: "port", help: "where it listens (default: PORT+1; 0 picks a free one)" },
    host: { type: "string", value: "address", help: "which address it listens on (default: 127.0.0.1)" },
  },
  details:
    "Point META_GRAPH_URL and TELEGRAM_API_URL at it, and the providers' as docs/payments.md says. It keeps everything in memory and stops with Ctrl-C.",
  examples: ["sandbox --port 3001"],
  async run(given, _values, context) {
    const { environment } = context.terminal;
    const port = Number(given.port ?? Number(environment.PORT || 3000) + 1);
    if (!Number.isInteger(port) || port < 0 || port > 65_535 || given.port === "") {
      throw new WrongUsage("--port: a number from 0 to 65535");
    }
    // Loaded here: no other command needs it.
    const { startSandbox } = await import("../sandbox/app.ts");
    const hostname = given.host ?? "127.0.0.1";
    const running = await startSandbox({ port, hostname }).catch((error) => {
      throw new Refused(
        `The sandbox cannot listen on ${hostname}, port ${port}: ${errorText(error)}\nStop what listens there, or choose another --port or --host.`,
      );
    });
    answer(context, { url: running.url, port: running.port }, () =>
      [
        `The sandbox listens on ${running.url}`,
        `  what it received  ${running.url}/`,
        `  for Ponte         META_GRAPH_URL=${running.url} TELEGRAM_API_URL=${running.url}`,
      ].join("\n"),
    );
    await stopSignal();
    await running.stop();
  },
});

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
