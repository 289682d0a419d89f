import { z } from "zod";

const summarySchema = z.object({
  requests: z.number(),
  seconds: z.number(),
  bytes: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  errors: z.object({
    connect: z.number(),
    read: z.number(),
    write: z.number(),
    status: z.number(),
    timeout: z.number(),
  }),
});

/** What one run of wrk counted; latencies are those of a closed loop and show no queueing. */
export type WrkSummary = z.output<typeof summarySchema>;

/** Answers a second. */
export function rate({ requests, seconds }: Pick<WrkSummary, "requests" | "seconds">): number {
  return requests / seconds;
}

/** Reads the line that `summary.lua` prints. @throws Error where the output has none */
export function parseWrk(output: string): WrkSummary {
  const line = output.split("\n").find((text) => text.startsWith("summary "));
  if (line === undefined) throw new Error(`wrk printed no summary:\n${output.trim()}`);
  return summarySchema.parse(JSON.parse(line.slice("summary ".length)));
}

interface WrkLoad {
  /** A script of this folder. */
  readonly script: string;
  readonly args: readonly string[];
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}

/** One thread: it makes more requests than any server here answers, and leaves the machine the rest. */
const THREADS = 1;

/**
 * Loads a server with as much as it takes. Statuses of 400 and above are counted, not judged: some cases ask for them.
 *
 * @throws Error where wrk fails, or a connection was refused, broken or not answered
 */
export async function runWrk(load: WrkLoad): Promise<WrkSummary> {
  const wrk = Bun.spawn(
    [
      "wrk",
      `-t${THREADS}`,
      `-c${load.connections}`,
      `-d${load.seconds}`,
      "-s",
      load.script,
      load.url,
      "--",
      ...load.args,
    ],
    { cwd: import.meta.dir, stdout: "pipe", stderr: "pipe" },
  );
  const [output, complaints, code] = await Promise.all([
    new Response(wrk.stdout).text(),
    new Response(wrk.stderr).text(),
    wrk.exited,
  ]);
  if (code !== 0) throw new Error(`wrk ended with ${code}: ${complaints.trim() || output.trim()}`);
  const summary = parseWrk(output);
  const { status: _asked, ...broken } = summary.errors;
  if (Object.values(broken).some((count) => count > 0)) {
    throw new Error(`connections broke under load: ${JSON.stringify(broken)}`);
  }
  return summary;
}
