import { asc } from "drizzle-orm";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { NewPoolPage, PoolPage } from "../../../views/ops/pool.tsx";
import type { PixelTrial, PoolFields } from "../../../views/ops/pool-data.ts";
import { PoolsPage } from "../../../views/ops/pools.tsx";
import { readRefusals } from "../../gate/read-refusals.ts";
import { findHold } from "../../outbox/holds.ts";
import { formatRoute } from "../../outbox/routes.ts";
import { DAY_MS } from "../../platform/durations.ts";
import type { AskedPage } from "../../platform/pagination.ts";
import { listPools, type PoolView } from "../../pools/pool-view.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { opsPage } from "../page.ts";
import { pieceOf } from "../params.ts";
import { formStatus } from "../submit.ts";
import { adLinkFacts } from "./ad-link.ts";
import { poolLines } from "./list-lines.ts";
import { EMPTY_POOL, poolFieldsOf } from "./pool-form.ts";

/** Usernames offered while one types. */
const MOST_SUGGESTIONS = 100;

/** What a pool's page shows besides the pool as it is: a form that was not taken, or what Meta said. */
interface PoolShown {
  readonly fields?: PoolFields;
  readonly errors?: FieldErrors;
  readonly testCode?: string;
  readonly codeError?: string | undefined;
  readonly trial?: PixelTrial;
}

/** The pages of pools. */
export function showPools({ db, now, config }: OpsDeps) {
  async function botNames(): Promise<string[]> {
    const { bots } = db.tables;
    const rows = await db
      .select({ username: bots.username })
      .from(bots)
      .orderBy(asc(bots.id))
      .limit(MOST_SUGGESTIONS);
    return rows.map(({ username }) => username);
  }

  async function refusedSince(poolId: number, ms: number) {
    const toMs = now().getTime();
    const [counted] = await readRefusals(db, { fromMs: toMs - ms, toMs, poolId });
    return counted ?? { param: 0, automated: 0 };
  }

  async function heldRouteOf({ meta_pixel_id, meta_test_event_code }: PoolView) {
    if (meta_pixel_id === null) return null;
    const route = formatRoute(meta_pixel_id, meta_test_event_code);
    const hold = await findHold(db, db, { destination: "meta", route }, now().getTime());
    return hold && { route, hold };
  }

  return {
    async list(operator: Operator, asked: AskedPage): Promise<Response> {
      const page = await listPools(db, db.tables, asked);
      const { zone } = operator.frame;
      const lines = await poolLines(db, page.items, { nowMs: now().getTime(), zone });
      return opsPage(operator, {
        title: "Pools",
        section: "pools",
        children: PoolsPage(pieceOf(asked, page, lines)),
      });
    },

    async empty(operator: Operator, fields = EMPTY_POOL, errors: FieldErrors = {}): Promise<Response> {
      const { csrfToken } = operator.frame;
      return opsPage(operator, {
        title: "New pool",
        section: "pools",
        status: formStatus(errors),
        children: NewPoolPage({ fields, errors, botNames: await botNames(), csrfToken }),
      });
    },

    async one(operator: Operator, pool: PoolView, shown: PoolShown = {}): Promise<Response> {
      const { fields = poolFieldsOf(pool), errors = {}, codeError } = shown;
      const { csrfToken, zone, path } = operator.frame;
      return opsPage(operator, {
        title: pool.name,
        section: "pools",
        status: codeError === undefined ? formStatus(errors) : 400,
        children: PoolPage({
          ...{ pool, fields, errors, csrfToken, codeError, zone },
          botNames: await botNames(),
          adLink: adLinkFacts(config, pool, new URLSearchParams(path.split("?")[1])),
          testCode: shown.testCode ?? pool.meta_test_event_code ?? "",
          trial: shown.trial ?? null,
          held: await heldRouteOf(pool),
          refused: {
            day: await refusedSince(pool.id, DAY_MS),
            month: await refusedSince(pool.id, 30 * DAY_MS),
          },
        }),
      });
    },
  };
}
