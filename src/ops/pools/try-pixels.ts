import { parseInput } from "../../platform/parse-input.ts";
import { baseUrl } from "../../pools/ad-link.ts";
import { poolChangeSchema } from "../../pools/pool-rules.ts";
import { checkPoolPixel, sendTestEvent } from "../../pools/try-pixel.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { poolWithRowAt } from "./find.ts";
import { checkTrial, eventTrial } from "./pixel-trial.ts";
import type { showPools } from "./show.ts";

/** Asks Meta about a pool's pixel, and shows the pool with what Meta said. */
export function tryPixels(deps: OpsDeps, show: ReturnType<typeof showPools>) {
  const pixelDeps = { ...deps, meta: deps.config.meta };
  return {
    async check(operator: Operator, id: string): Promise<Response> {
      const { pool, row } = await poolWithRowAt(deps, operator, id);
      return show.one(operator, pool, { trial: checkTrial(await checkPoolPixel(pixelDeps, row)) });
    },

    /** `testCode` as it was typed, and whoever stands for the visitor. */
    async send(
      operator: Operator,
      id: string,
      testCode: string,
      visitor: { readonly userAgent: string | null; readonly clientIp: string | null },
    ): Promise<Response> {
      const { pool, row } = await poolWithRowAt(deps, operator, id);
      const parsed = parseInput(poolChangeSchema, { meta_test_event_code: testCode });
      const code = parsed.kind === "valid" ? parsed.value.meta_test_event_code : null;
      if (!code) {
        const codeError = parsed.kind === "invalid" ? parsed.issues[0]?.message : "give the test's code";
        return show.one(operator, pool, { testCode, codeError });
      }
      const url = `${baseUrl(deps.config)}/go/${pool.slug}`;
      const test = await sendTestEvent(pixelDeps, operator.actor, row, { code, url, ...visitor });
      return show.one(operator, pool, { testCode, trial: eventTrial(test, code) });
    },
  };
}
