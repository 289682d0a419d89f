import { startTalker } from "./child.ts";

/** An answer as a bare server gives it again and again. */
interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
}

/** What the server itself puts on every answer. */
const SERVERS_OWN = new Set(["date", "content-length", "connection", "transfer-encoding"]);

/** An answer of ours, to be given byte for byte by the bare server. */
export async function answerOf(response: Response): Promise<Answer> {
  const headers = [...response.headers].filter(([name]) => !SERVERS_OWN.has(name));
  const body = await response.text();
  return { status: response.status, headers, body: body === "" ? null : body };
}

/** A bare `Bun.serve` in a process of its own. */
export async function startBare(answer: Answer): Promise<{ url: string; stop(): Promise<void> }> {
  const child = startTalker(["bun", `${import.meta.dir}/bare-server.ts`, JSON.stringify(answer)]);
  return { url: await child.line(), stop: child.stop };
}
