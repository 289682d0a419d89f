import { expect, spyOn, test } from "bun:test";
import { openAssets } from "../../src/assets/assets.ts";

test("a script that could not be built once is built when it is asked for again", async () => {
  const { bridge, find } = openAssets();
  const script = find(bridge.bridgeJs.slice("/assets/".length));
  const build = spyOn(Bun, "build").mockRejectedValueOnce(new Error("no memory"));
  await expect(script?.body()).rejects.toThrow("no memory");
  const body = await script?.body();
  build.mockRestore();
  expect(new TextDecoder().decode(body)).toContain("/api/tracking/cookies");
});
