import { z } from "zod";

/** What matters of a V8 CPU profile, as Bun writes it. */
export const cpuProfileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  /** Which node was running, sample by sample, and the microseconds since the one before. */
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

type CpuProfile = z.output<typeof cpuProfileSchema>;

/** A function's own time, without what it calls. */
interface SelfTime {
  readonly name: string;
  readonly place: string;
  readonly ms: number;
  /** Of all samples' time. */
  readonly share: number;
}

/** The functions with the most own time, the longest first. */
export function topSelfTimes({ nodes, samples, timeDeltas }: CpuProfile, count: number): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, { name: string; place: string; micros: number }>();
  let total = 0;
  samples.forEach((id, i) => {
    const frame = frames.get(id);
    const micros = timeDeltas[i] ?? 0;
    total += micros;
    if (!frame) return;
    const name = frame.functionName || "(anonymous)";
    const place = frame.url === "" ? "native" : `${shortPath(frame.url)}:${frame.lineNumber + 1}`;
    const key = `${name} ${place}`;
    const known = byFunction.get(key) ?? { name, place, micros: 0 };
    known.micros += micros;
    byFunction.set(key, known);
  });
  return [...byFunction.values()]
    .sort((a, b) => b.micros - a.micros)
    .slice(0, count)
    .map(({ name, place, micros }) => ({ name, place, ms: micros / 1_000, share: micros / total }));
}

/** The path inside the project, or inside a package. */
function shortPath(url: string): string {
  const path = url.replace(/^file:\/\//, "");
  const from = Math.max(
    path.lastIndexOf("/node_modules/") + 13,
    path.lastIndexOf("/src/"),
    path.lastIndexOf("/views/"),
  );
  return from > 12 ? path.slice(from + 1) : path.split("/").slice(-2).join("/");
}

/** As a Markdown table. */
export function renderSelfTimes(times: readonly SelfTime[]): string {
  const rows = times.map(
    ({ name, place, ms, share }, i) =>
      `| ${i + 1} | \`${name.replaceAll("|", "\\|")}\` | ${place} | ${ms.toFixed(0)} ms | ${(share * 100).toFixed(1)} % |`,
  );
  return ["| | function | where | own time | share |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}
