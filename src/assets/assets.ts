import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A file for browsers, under an address that changes with its content. */
export interface Asset {
  readonly path: string;
  readonly contentType: string;
  /** The content, made when first asked for. */
  body(): Promise<Uint8Array>;
}

export interface Assets {
  readonly bridge: { readonly bridgeJs: string; readonly paramBuilderJs: string };
  /** The asset under `/assets/<file>`. */
  find(file: string): Asset | undefined;
}

interface Source {
  readonly name: string;
  readonly contentType: string;
  /** What the content hash is made from; hashing sources costs nothing, so that starting need not bundle. */
  readonly sources: readonly string[];
  build(): Promise<Uint8Array>;
}

const ROOT = join(import.meta.dir, "../..");
const PARAM_BUILDER = "node_modules/meta-capi-param-builder-clientjs/dist/clientParamBuilder.bundle.js";
const BRIDGE = ["bridge", "meta-cookies", "pixel", "utmify"].map((name) => `views/assets/${name}.ts`);

/** All files that pages load from us. */
export function openAssets(): Assets {
  const bridge = asset({
    name: "bridge.js",
    contentType: "text/javascript; charset=utf-8",
    sources: BRIDGE,
    build: () => bundle("views/assets/bridge.ts"),
  });
  const paramBuilder = asset({
    name: "param-builder.js",
    contentType: "text/javascript; charset=utf-8",
    sources: [PARAM_BUILDER],
    build: () => Bun.file(join(ROOT, PARAM_BUILDER)).bytes(),
  });
  const byPath = new Map([bridge, paramBuilder].map((one) => [one.path, one]));
  return {
    bridge: { bridgeJs: bridge.path, paramBuilderJs: paramBuilder.path },
    find: (file) => byPath.get(`/assets/${file}`),
  };
}

function asset({ name, contentType, sources, build }: Source): Asset {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const source of sources) hasher.update(readFileSync(join(ROOT, source)));
  const hash = hasher.digest("hex").slice(0, 16);
  const dot = name.lastIndexOf(".");
  let built: Promise<Uint8Array> | undefined;
  return {
    path: `/assets/${name.slice(0, dot)}.${hash}${name.slice(dot)}`,
    contentType,
    body() {
      built ??= build();
      return built;
    },
  };
}

/** One minified script out of a module and what it imports. @throws Error where it does not build. */
async function bundle(entry: string): Promise<Uint8Array> {
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
