import type { RunningSandbox } from "../../src/sandbox/app.ts";

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
  { url }: RunningSandbox,
  troubles: readonly MetaTrouble[],
  seed: number,
): Promise<void> {
  for (const [i, trouble] of troubles.entries()) {
    const body = JSON.stringify({ ...trouble, seed: seed + i });
    const headers = { "content-type": "application/json" };
    const armed = await fetch(`${url}/faults`, { method: "POST", headers, body });
    if (!armed.ok) throw new Error(`the sandbox takes no such fault: ${await armed.text()}`);
  }
}

/** The armed faults, each with how often it has struck. */
export async function struckModes({ url }: RunningSandbox): Promise<{ mode: string; hits: number }[]> {
  const answer = await fetch(`${url}/faults`);
  const listed: readonly { mode: string; hits: number }[] = JSON.parse(await answer.text());
  return listed.map(({ mode, hits }) => ({ mode, hits }));
}
