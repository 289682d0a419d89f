import { expect, jest, test } from "bun:test";
import { createLog } from "../../src/platform/log.ts";
import { retryUntilSuccess } from "../../src/platform/retry-until-success.ts";

test("what fails is tried again every five seconds until it works, and not once the process stops", async () => {
  jest.useFakeTimers();
  try {
    for (const isStopped of [false, true]) {
      const lines: { msg: string; todo?: string }[] = [];
      const log = createLog("info", { write: (line: string) => void lines.push(JSON.parse(line)) });
      const stopping = new AbortController();
      let tries = 0;
      await retryUntilSuccess(
        { log, db: { advice: () => "plug it in" }, stopping: stopping.signal },
        { failed: "away", worked: "back" },
        async () => {
          if (++tries < 3) throw new Error("no");
        },
      );
      const after = async (ms: number) => {
        jest.advanceTimersByTime(ms);
        for (let i = 0; i < 10; i++) await Promise.resolve();
        return tries;
      };
      expect([tries, await after(4_999), await after(1)]).toEqual([1, 1, 2]);
      if (isStopped) stopping.abort();
      expect([await after(5_000), await after(60_000)]).toEqual(isStopped ? [2, 2] : [3, 3]);
      expect(lines).toMatchObject([
        { msg: "away", todo: "plug it in" },
        ...(isStopped ? [] : [{ msg: "back" }]),
      ]);
    }
  } finally {
    jest.useRealTimers();
  }
});
