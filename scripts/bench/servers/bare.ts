import { z } from "zod";
import { startTalker } from "./child.ts";

/** An answer as a bare server gives it again and again. */
export const answerSchema = z.object({
  status: z.number(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.string().nullable(),
});
export type Answer = z.infer<typeof answerSchema>;

/** What the server itself puts on every answer. */
const SERVERS_OWN = new Set(["date", "content-length", "connection", "transfer-encoding"]);

/** An answer of ours, to be given byte for byte by the bare server. */
export async function answerOf(response: Response): Promise<Answer> {
  const headers = [...response.headers].filter(([name]) => !SERVERS_OWN.has(name));
  const body = await response.text();
  return { status: response.status, headers, body: body === "" ? null : body };
}

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** A bare `Bun.serve` in a process of its own. */
export function startBare(answer: Answer): Promise<Server> {
  return startServer("bare-server.ts", answer);
}

/** The same, which first commits the rows of a visit to the SQLite file, copies of the last one that is there. */
export function startMetal(answer: Answer, databasePath: string): Promise<Server> {
  return startServer("metal-server.ts", answer, databasePath);
}

async function startServer(file: string, answer: Answer, ...more: string[]): Promise<Server> {
  const child = startTalker(["bun", `${import.meta.dir}/${file}`, JSON.stringify(answer), ...more]);
  return { url: await child.line(), stop: child.stop };
}
