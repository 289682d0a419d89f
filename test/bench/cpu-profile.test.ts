import { expect, test } from "bun:test";
import { renderSelfTimes, topSelfTimes } from "../../scripts/bench/cpu-profile.ts";

const node = (id: number, functionName: string, url = "", lineNumber = 0) => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

const PROFILE = {
  nodes: [
    node(1, "answer", "file:///home/me/ponte/src/redirect/visit.ts", 68),
    node(2, "stringify"),
    node(3, "answer", "file:///home/me/ponte/src/redirect/visit.ts", 68),
    node(4, "", "/home/me/ponte/node_modules/elysia/dist/index.js", 9),
  ],
  samples: [1, 2, 3, 4, 2, 1],
  timeDeltas: [1_000, 2_000, 1_500, 500, 3_000, 2_000],
};

test("own times are added up by function, wherever it was called from", () => {
  expect(topSelfTimes(PROFILE, 10)).toEqual([
    { name: "stringify", place: "native", ms: 5, share: 0.5 },
    { name: "answer", place: "src/redirect/visit.ts:69", ms: 4.5, share: 0.45 },
    { name: "(anonymous)", place: "elysia/dist/index.js:10", ms: 0.5, share: 0.05 },
  ]);
});

test("only so many functions are listed, as a table", () => {
  expect(renderSelfTimes(topSelfTimes(PROFILE, 1))).toBe(
    "| | function | where | own time | share |\n| --- | --- | --- | --- | --- |\n| 1 | `stringify` | native | 5 ms | 50.0 % |",
  );
});
