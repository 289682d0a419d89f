import { expect, test } from "bun:test";
import { bestEffortSpool } from "../../../src/db/spool/best-effort-spool.ts";
import { openSpool, unavailableSpool } from "../../../src/db/spool/spool.ts";
import { createLog } from "../../../src/platform/log.ts";

test("of a spool that cannot be read nothing is there, which the log says once; whoever writes to it hears why", () => {
  const reason = new Error("the disk fails");
  const lines: string[] = [];
  const log = createLog("info", { write: (line) => void lines.push(line) });
  const spool = bestEffortSpool(unavailableSpool(reason), log);
  expect({
    oldest: spool.oldest(1),
    ofOthers: spool.ofOthers(null),
    find: spool.find("a"),
    wasForgotten: spool.wasForgotten("a"),
    forgotten: spool.forgotten(),
    count: spool.count(["a"]),
    counts: spool.counts(),
    note: spool.note("pools"),
    setNote: spool.setNote("pools", "[]"),
  }).toEqual({
    oldest: [],
    ofOthers: [],
    find: null,
    wasForgotten: false,
    forgotten: [],
    count: 0,
    counts: { waiting: 0, setAside: 0 },
    note: null,
    setNote: undefined,
  });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ error: { message: "the disk fails" } }]);
  const writes = [
    () => spool.append([{ key: "a", body: "{}" }]),
    () => spool.remove(["a"]),
    () => spool.forget(["a"]),
    () => spool.setAside("a", "why"),
    () => spool.endForgetting(),
  ];
  for (const write of writes) expect(write).toThrow(reason);
});

test("one that can be read answers for itself", () => {
  const lines: string[] = [];
  const log = createLog("info", { write: (line) => void lines.push(line) });
  const spool = bestEffortSpool(openSpool(":memory:"), log);
  spool.append([{ key: "a", body: "{}" }]);
  spool.setNote("pools", "[]");
  expect([spool.oldest(1), spool.find("a"), spool.count(["a"]), spool.counts(), spool.note("pools")]).toEqual(
    [[{ key: "a", body: "{}" }], { key: "a", body: "{}" }, 1, { waiting: 1, setAside: 0 }, "[]"],
  );
  spool.forget(["a"]);
  expect([spool.wasForgotten("a"), spool.forgotten(), spool.ofOthers(null)]).toEqual([true, ["a"], []]);
  expect(lines).toEqual([]);
  spool.close();
});
