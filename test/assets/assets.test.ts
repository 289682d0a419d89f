import { expect, spyOn, test } from "bun:test";
import { join, relative, resolve } from "node:path";
import { openAssets } from "../../src/assets/assets.ts";
import { assetsPlugin } from "../../src/assets/plugin.ts";

const ROOT = join(import.meta.dir, "../..");
const { bridge, ops, find } = openAssets();

test.each(Object.entries({ ...bridge, ...ops }))(
  "the address of %s changes with every file that it is made of",
  async (_name, path) => {
    const asset = find(path.slice("/assets/".length));
    if (!asset) throw new Error(`${path} is not served`);
    const build = spyOn(Bun, "build");
    const body = await asset.body();
    const entrypoints = build.mock.calls.flatMap(([bundle]) => bundle.entrypoints);
    build.mockRestore();
    if (entrypoints.length === 0) {
      const files = asset.sources.map((source) => Bun.file(join(ROOT, source)).bytes());
      expect(await Promise.all(files)).toEqual([body]);
      return;
    }
    const { metafile } = await Bun.build({ entrypoints, target: "browser", metafile: true });
    const inputs = Object.keys(metafile?.inputs ?? {}).map((input) => relative(ROOT, resolve(input)));
    expect(asset.sources.toSorted()).toEqual(inputs.toSorted());
  },
);

test("a script that could not be built once is built when it is asked for again", async () => {
  const { bridge, find } = openAssets();
  const script = find(bridge.bridgeJs.slice("/assets/".length));
  const build = spyOn(Bun, "build").mockRejectedValueOnce(new Error("no memory"));
  await expect(script?.body()).rejects.toThrow("no memory");
  const body = await script?.body();
  build.mockRestore();
  expect(new TextDecoder().decode(body)).toContain("/api/tracking/cookies");
});

test("the icon that browsers ask every host for is answered with nothing, for good", async () => {
  const answer = await assetsPlugin(openAssets()).handle(
    new Request("http://bridge.example.com/favicon.ico"),
  );
  expect([answer.status, answer.headers.get("cache-control")]).toEqual([
    204,
    "public, max-age=31536000, immutable",
  ]);
});

test.each([
  ["gzip, deflate, br", true],
  ["br;q=1.0, GZIP; q=0.5", true],
  ["*", true],
  ["", false],
  ["br", false],
  ["gzip;q=0", false],
  ["gzip; q=0.000, *", false],
  ["identity;q=0.5, *;q=0", false],
])("who accepts %j is sent gzip: %p", async (acceptEncoding, isGzip) => {
  const assets = openAssets();
  const headers = { "accept-encoding": acceptEncoding };
  const request = new Request(`http://bridge.example.com${assets.bridge.paramBuilderJs}`, { headers });
  const answer = await assetsPlugin(assets).handle(request);
  expect(answer.headers.get("content-encoding")).toBe(isGzip ? "gzip" : null);
  expect(answer.headers.get("vary")).toBe("accept-encoding");
});
