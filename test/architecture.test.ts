import { expect, test } from "bun:test";
import { dirname, join, normalize } from "node:path";
import { Glob, Transpiler } from "bun";

/**
 * Who may import whom. A folder may import its own files, the folders listed here, and npm packages; nothing
 * else. The lists only ever point downwards, so there are no circles between folders.
 */
const BASE = ["platform", "config"];
const STORE = [...BASE, "db"];
const KNOWLEDGE = [
  ...STORE,
  "money",
  "meta",
  "telegram",
  "outbox",
  "audit",
  "bots",
  "offers",
  "pools",
  "tracking",
];
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  config: [],
  platform: ["config"],
  db: BASE,
  money: [],
  meta: ["platform", "money"],
  telegram: ["platform", "money"],
  assets: BASE,
  sandbox: [],
  outbox: [...STORE, "meta"],
  tracking: [...STORE, "meta", "outbox"],
  // Who changed what, for whoever changes anything.
  audit: [...STORE, "outbox"],
  bots: [...STORE, "outbox", "audit"],
  offers: [...STORE, "money", "telegram", "audit", "bots"],
  pools: [...STORE, "meta", "outbox", "audit", "bots"],
  gate: [...STORE, "pools"],
  metrics: BASE,
  health: [...KNOWLEDGE, "metrics"],
  redirect: [...KNOWLEDGE, "gate", "metrics", "views"],
  cookies: KNOWLEDGE,
  // The thread that writes what these two record.
  writer: [...STORE, "redirect", "cookies"],
  payments: KNOWLEDGE,
  funnel: KNOWLEDGE,
  // Goes through everybody's tables to take one person out of them.
  privacy: KNOWLEDGE,
  // Goes through everybody's tables too, and takes out what is too old.
  retention: [...STORE, "outbox"],
  // Copies everybody's tables from one database into another.
  move: STORE,
  // Keys of the JSON API, which the API, the console and the command line make.
  keys: [...STORE, "audit"],
  // Counts over the tables of visits, payments and deliveries alike, so it stands beside what writes them.
  rollups: STORE,
  // What goes on and what it came to, which the API tells scripts and the console tells people.
  overview: [...KNOWLEDGE, "gate", "rollups"],
  api: [...KNOWLEDGE, "gate", "keys", "privacy", "overview"],
  ops: [...KNOWLEDGE, "gate", "keys", "overview", "rollups", "assets", "views"],
  views: ["db", "config"],
};

/** What composes the rest and may therefore import anything. */
const COMPOSERS = [
  "main",
  "serve",
  "early-door",
  "door",
  "run",
  "visits",
  "error-answer",
  "app",
  "deps",
  "services",
  "cli",
];

const root = normalize(join(import.meta.dir, ".."));
const transpilers = { ts: new Transpiler({ loader: "ts" }), tsx: new Transpiler({ loader: "tsx" }) };

function roomOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  return top === "src" ? second.replace(/\.tsx?$/, "") : top;
}

async function importsOf(path: string): Promise<string[]> {
  const source = await Bun.file(join(root, path)).text();
  const typeImports = [...source.matchAll(/import type [^;]*? from "(\.[^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  const transpiler = path.endsWith(".tsx") ? transpilers.tsx : transpilers.ts;
  const imports = transpiler.scanImports(source).map((found) => found.path);
  return [...imports, ...typeImports]
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => normalize(join(dirname(path), specifier)));
}

async function sourceFiles(): Promise<string[]> {
  return (await Array.fromAsync(new Glob("{src,views}/**/*.{ts,tsx}").scan(root))).sort();
}

test("every folder imports only what lies below it", async () => {
  const broken: string[] = [];
  for (const file of await sourceFiles()) {
    const room = roomOf(file);
    if (COMPOSERS.includes(room)) continue;
    const allowed = ALLOWED[room];
    expect(allowed, `${room} has a place in the house`).toBeDefined();
    for (const target of await importsOf(file)) {
      const other = roomOf(target);
      if (other !== room && !allowed?.includes(other)) broken.push(`${file} -> ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

test("no file imports itself in a circle", async () => {
  const graph = new Map<string, string[]>();
  for (const file of await sourceFiles()) graph.set(file, await importsOf(file));
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(" -> "));
    if (done.has(file) || trail.includes(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  expect(circles).toEqual([]);
});
