import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A file for browsers, under an address that changes with its content. */
interface Asset {
  readonly path: string;
  readonly contentType: string;
  /** The files that the content is made of, from the checkout's root: the address changes with them. */
  readonly sources: readonly string[];
  /** The content, made when first asked for. */
  body(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The addresses of what the bridge page loads. */
interface BridgeScripts {
  readonly bridgeJs: string;
  readonly paramBuilderJs: string;
}

export interface Assets {
  readonly bridge: BridgeScripts;
  /** The operators' console. */
  readonly ops: {
    readonly css: string;
    readonly htmxJs: string;
    readonly consoleJs: string;
    readonly chartsJs: string;
  };
  /** The asset under `/assets/<file>`. */
  find(file: string): Asset | undefined;
}

interface Source {
  readonly name: string;
  readonly contentType: string;
  /** What the content hash is made from: every file of the bundle, so that starting need not bundle. A test holds it. */
  readonly sources: readonly string[];
  build(): Promise<Uint8Array<ArrayBuffer>>;
}

const ROOT = join(import.meta.dir, "../..");
const PARAM_BUILDER = "node_modules/meta-capi-param-builder-clientjs/dist/clientParamBuilder.bundle.js";
const HTMX = "node_modules/htmx.org/dist/htmx.min.js";
const UPLOT = "node_modules/uplot/dist/uPlot";
const CONSOLE_CSS = "views/ops/console.css";
const CONSOLE = ["console", "live"].map((name) => `views/assets/${name}.ts`);
const BRIDGE = ["bridge", "meta-cookies", "pause", "pixel", "reporter", "utmify"].map(
  (name) => `views/assets/${name}.ts`,
);

/** What the bridge page loads, for whoever needs no other files. */
export function bridgeScripts(): BridgeScripts {
  return { bridgeJs: bridgeJs().path, paramBuilderJs: paramBuilderJs().path };
}

function bridgeJs(): Asset {
  return script("bridge.js", BRIDGE, () => bundle("views/assets/bridge.ts"));
}

function paramBuilderJs(): Asset {
  return script("param-builder.js", [PARAM_BUILDER], () => file(PARAM_BUILDER));
}

/** All files that pages load from us. */
export function openAssets(): Assets {
  const bridge = bridgeJs();
  const paramBuilder = paramBuilderJs();
  const htmx = script("htmx.js", [HTMX], () => file(HTMX));
  const consoleJs = script("console.js", CONSOLE, () => bundle("views/assets/console.ts"));
  const charts = script("charts.js", ["views/assets/charts.ts", `${UPLOT}.esm.js`], () =>
    bundle("views/assets/charts.ts"),
  );
  const css = asset({
    name: "console.css",
    contentType: "text/css; charset=utf-8",
    sources: [CONSOLE_CSS, `${UPLOT}.min.css`],
    build: () => bundle(CONSOLE_CSS),
  });
  const byPath = new Map([bridge, paramBuilder, htmx, consoleJs, charts, css].map((one) => [one.path, one]));
  return {
    bridge: { bridgeJs: bridge.path, paramBuilderJs: paramBuilder.path },
    ops: { css: css.path, htmxJs: htmx.path, consoleJs: consoleJs.path, chartsJs: charts.path },
    find: (file) => byPath.get(`/assets/${file}`),
  };
}

function script(name: string, sources: readonly string[], build: Source["build"]): Asset {
  return asset({ name, contentType: "text/javascript; charset=utf-8", sources, build });
}

function file(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return Bun.file(join(ROOT, path)).bytes();
}

function asset({ name, contentType, sources, build }: Source): Asset {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const source of sources) hasher.update(readFileSync(join(ROOT, source)));
  const hash = hasher.digest("hex").slice(0, 16);
  const dot = name.lastIndexOf(".");
  let built: ReturnType<Asset["body"]> | undefined;
  return {
    path: `/assets/${name.slice(0, dot)}.${hash}${name.slice(dot)}`,
    contentType,
    sources,
    body() {
      built ??= build().catch((error) => {
        // What failed once, for want of memory or files, may work the next time it is asked for.
        built = undefined;
        throw error;
      });
      return built;
    },
  };
}

/** One minified script or style sheet out of a file and what it imports. @throws Error where it does not build. */
async function bundle(entry: string): Promise<Uint8Array<ArrayBuffer>> {
  const result = await Bun.build({
    entrypoints: [join(ROOT, entry)],
    target: "browser",
    format: "iife",
    minify: true,
  });
  const [output] = result.outputs;
  if (!result.success || !output) throw new Error(`${entry} does not bundle: ${result.logs.join("\n")}`);
  return new Uint8Array(await output.arrayBuffer());
}
