import type { RunningSandbox } from "../../src/sandbox/app.ts";
import { addFault, askSandbox } from "../support/sandbox.ts";

/** A fault as the sandbox takes it; see `POST /faults` there. */
export type MetaTrouble = Readonly<Record<string, string | number | boolean>> & { readonly mode: string };

/** What passes by itself. */
export const TRANSIENT: readonly MetaTrouble[] = [
  { mode: "500", rate: 0.1 },
  { mode: "500", rate: 0.05, after: true },
  { mode: "429", rate: 0.05, retry_after: 1 },
  { mode: "reset", rate: 0.1 },
  { mode: "reset", rate: 0.05, after: true },
  { mode: "garbage", rate: 0.05 },
  { mode: "latency", rate: 0.1, ms: 300 },
];

/** Arms the stand-in for Meta; each fault strikes by a random series of its own. */
export async function troubleMeta(
  sandbox: RunningSandbox,
  troubles: readonly MetaTrouble[],
  seed: number,
): Promise<void> {
  for (const [i, trouble] of troubles.entries()) {
    await addFault(sandbox, "meta", { ...trouble, seed: seed + i });
  }
}

/** The armed faults, each with how often it has struck. */
export async function struckModes(sandbox: RunningSandbox): Promise<{ mode: string; hits: number }[]> {
  const listed: readonly { mode: string; hits: number }[] = await askSandbox(sandbox, "GET", "/faults");
  return listed.map(({ mode, hits }) => ({ mode, hits }));
}
