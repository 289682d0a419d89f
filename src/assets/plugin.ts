import { Elysia } from "elysia";
import { problem } from "../platform/problem.ts";
import type { Assets } from "./assets.ts";

const FOR_GOOD = "public, max-age=31536000, immutable";

/**
 * Browsers ask every page's host for one, and would go on asking. A `<link rel="icon" href="data:,">` would spare the
 * bridge page that, but its policy would have to allow pictures that are no address.
 */
const noIcon = () => new Response(null, { status: 204, headers: { "cache-control": FOR_GOOD } });

/** `GET /assets/:file`: what pages load from us. An address names its content, so browsers keep it for good. */
export function assetsPlugin(assets: Assets) {
  const compressed = new Map<string, Uint8Array<ArrayBuffer>>();
  return new Elysia({ name: "assets" })
    .get("/favicon.ico", noIcon)
    .get("/assets/:file", async ({ params, request }) => {
      const asset = assets.find(params.file);
      if (!asset) return problem(404, { detail: "No such file." });
      const body = await asset.body();
      const headers = {
        "content-type": asset.contentType,
        "cache-control": FOR_GOOD,
        vary: "accept-encoding",
        "x-content-type-options": "nosniff",
      };
      if (!takesGzip(request.headers.get("accept-encoding"))) return new Response(body, { headers });
      const gzip = compressed.get(asset.path) ?? Bun.gzipSync(body, { level: 9 });
      compressed.set(asset.path, gzip);
      return new Response(gzip, { headers: { ...headers, "content-encoding": "gzip" } });
    });
}

/** Whether a client takes gzip: it names it, or `*` for whatever it does not name, with another weight than 0 (RFC 9110, 12.5.3). */
function takesGzip(acceptEncoding: string | null): boolean {
  const codings = (acceptEncoding ?? "").toLowerCase().split(",");
  const weights = new Map(
    codings.map((coding) => {
      const [name = "", weight = "q=1"] = coding.split(";");
      return [name.trim(), Number(weight.replace(/^\s*q\s*=/, ""))];
    }),
  );
  return (weights.get("gzip") ?? weights.get("*") ?? 0) > 0;
}
