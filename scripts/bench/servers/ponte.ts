import { ensureProgram } from "../../build.ts";
import { freePort } from "../../lib/free-port.ts";
import { isAnswering } from "../../lib/is-answering.ts";
import { type Child, startChild, startTalker } from "./child.ts";

/** The key under which the benchmark's secrets are sealed, so that harness and server read the same. */
export const BENCH_SECRET = Buffer.alloc(32, 7);

/** The server under test, as a process of its own. */
interface Ponte extends Pick<Child, "pid" | "residentMiB" | "stop"> {
  readonly url: string;
}

export interface PonteSettings {
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** The sandbox's URL; without one nothing can be delivered. */
  readonly graphUrl?: string;
  /** `web` unless said otherwise: then no dispatcher competes with the load, and deliveries are measured by themselves. */
  readonly role?: "all" | "web" | "dispatcher";
  readonly environment?: Readonly<Record<string, string>>;
  /** Arguments for Bun itself, for a profile; it then runs the sources, so that the profile names them. */
  readonly bunArguments?: readonly string[] | undefined;
}

/** How a server of the benchmark is set up; durability is the product's own and cannot be turned down. */
export function ponteEnvironment(settings: PonteSettings, port: number): Record<string, string> {
  return {
    HOST: "127.0.0.1",
    PORT: String(port),
    DATABASE_URL: settings.databaseUrl,
    DATA_DIR: settings.dataDir,
    APP_SECRET: BENCH_SECRET.toString("base64"),
    ROLE: settings.role ?? "web",
    LOG_LEVEL: "warn",
    RATE_LIMIT_PER_HOUR: "0",
    TRUSTED_PROXIES: "127.0.0.1",
    META_GRAPH_URL: settings.graphUrl ?? "http://127.0.0.1:9",
    TELEGRAM_API_URL: settings.graphUrl ?? "http://127.0.0.1:9",
    ...settings.environment,
  };
}

/** Starts Ponte and waits until it answers. */
export async function startPonte(settings: PonteSettings): Promise<Ponte> {
  const port = freePort();
  const { bunArguments } = settings;
  const command = bunArguments ? ["bun", ...bunArguments, "src/main.ts"] : [await ensureProgram()];
  const child = startChild(command, ponteEnvironment(settings, port));
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(`${url}/healthz`, child);
  return { ...child, url };
}

const START_DEADLINE_MS = 20_000;

async function untilAnswering(url: string, child: Child): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (child.isRunning() && performance.now() < deadline) {
    if (await isAnswering(url)) return;
    await Bun.sleep(10);
  }
  await child.stop();
  throw new Error("the server did not answer; its own lines above say why");
}

/** The stand-in for Meta, as a process of its own. */
export async function startSandboxProcess(): Promise<{ url: string; stop(): Promise<void> }> {
  const port = freePort();
  const child = startTalker(["bun", "src/cli/main.ts", "sandbox", "--port", String(port)]);
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(`${url}/healthz`, child);
  return { url, stop: child.stop };
}
