import { asc } from "drizzle-orm";
import { Elysia } from "elysia";
import { z } from "zod";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { NotFound } from "../../../views/ops/not-found.tsx";
import { NewPoolPage, PoolPage } from "../../../views/ops/pool.tsx";
import type { PixelTrial, PoolFields } from "../../../views/ops/pool-data.ts";
import { PoolsPage } from "../../../views/ops/pools.tsx";
import { baseUrl } from "../../pools/ad-link.ts";
import { readRefusals } from "../../pools/gate-refusals.ts";
import { createPool, updatePool } from "../../pools/manage-pools.ts";
import { findPoolById, findPoolRow, listPools, type PoolView } from "../../pools/pool-view.ts";
import { parseInput, poolChangeSchema, poolDraftSchema } from "../../pools/rules.ts";
import { checkPoolPixel, sendTestEvent } from "../../pools/try-pixel.ts";
import { seeOther } from "../answer.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { fieldErrors } from "../form-errors.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";
import { adLinkFacts } from "./ad-link.ts";
import { poolLines } from "./list-lines.ts";
import { checkTrial, eventTrial } from "./pixel-trial.ts";
import { EMPTY_POOL, poolFieldOf, poolFieldsOf, poolInputOf, readPoolForm } from "./pool-form.ts";

const PAGE_LENGTH = 50;
const DAY_MS = 86_400_000;
/** Usernames offered while one types. */
const MOST_SUGGESTIONS = 100;

const idSchema = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const querySchema = z.object({ cursor: idSchema.optional().catch(undefined) });

/** `/ops/pools`: the links that ads point to, their pixels, gates and bots. */
export function poolPages(deps: OpsDeps) {
  const { db, now } = deps;
  const pixelDeps = { ...deps, meta: deps.config.meta };

  async function findPool(given: string): Promise<PoolView | null> {
    const id = idSchema.safeParse(given);
    return id.success ? findPoolById(db, db.tables, id.data) : null;
  }

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

  async function newPage(operator: Operator, fields: PoolFields, errors: FieldErrors = {}) {
    return opsPage(operator, {
      title: "New pool",
      section: "pools",
      status: Object.keys(errors).length > 0 ? 400 : 200,
      children: NewPoolPage({
        fields,
        errors,
        botNames: await botNames(),
        csrfToken: operator.frame.csrfToken,
      }),
    });
  }

  async function poolPage(operator: Operator, pool: PoolView, shown: PoolShown = {}) {
    const { fields = poolFieldsOf(pool), errors = {}, codeError } = shown;
    const isRefused = Object.keys(errors).length > 0 || codeError !== undefined;
    return opsPage(operator, {
      title: pool.name,
      section: "pools",
      status: isRefused ? 400 : 200,
      children: PoolPage({
        pool,
        fields,
        errors,
        botNames: await botNames(),
        csrfToken: operator.frame.csrfToken,
        adLink: adLinkFacts(deps.config, pool, new URLSearchParams(operator.frame.path.split("?")[1])),
        testCode: shown.testCode ?? pool.meta_test_event_code ?? "",
        codeError,
        trial: shown.trial ?? null,
        refused: {
          day: await refusedSince(pool.id, DAY_MS),
          month: await refusedSince(pool.id, 30 * DAY_MS),
        },
        zone: operator.frame.zone,
      }),
    });
  }

  return (
    new Elysia({ name: "ops.pools" })
      .use(opsGuard(deps))
      .get("/ops/pools", async ({ operator, query }) => {
        const { cursor } = querySchema.parse(query);
        const page = await listPools(db, db.tables, { cursor, limit: PAGE_LENGTH });
        const { zone } = operator.frame;
        return opsPage(operator, {
          title: "Pools",
          section: "pools",
          children: PoolsPage({
            lines: await poolLines(db, page.items, { nowMs: now().getTime(), zone }),
            next: page.next_cursor,
            isFirst: cursor === undefined,
          }),
        });
      })
      .get("/ops/pools/new", ({ operator }) => newPage(operator, EMPTY_POOL))
      .post("/ops/pools/new", async ({ operator, body }) => {
        const form = formFields(body);
        const fields = readPoolForm(form);
        const input = { slug: fields.slug, ...poolInputOf(fields, form.text("meta_access_token")) };
        const parsed = parseInput(
          poolDraftSchema,
          fields.name === "" ? { ...input, name: undefined } : input,
        );
        if (parsed.kind === "invalid")
          return newPage(operator, fields, fieldErrors(parsed.issues, poolFieldOf));
        const result = await createPool(deps, operator.actor, parsed.value);
        switch (result.kind) {
          case "created":
            return doneAndSee(operator, `/ops/pools/${result.pool.id}`, "The pool is made.");
          case "slug_taken":
            return newPage(operator, fields, { slug: "there is a pool of this slug already" });
          case "invalid":
            return newPage(operator, fields, fieldErrors(result.issues, poolFieldOf));
        }
      })
      .get("/ops/pools/:id", async ({ operator, params }) => {
        const pool = await findPool(params.id);
        return pool === null ? noSuchPool(operator) : poolPage(operator, pool);
      })
      .post("/ops/pools/:id", async ({ operator, params, body }) => {
        const pool = await findPool(params.id);
        if (pool === null) return noSuchPool(operator);
        const form = formFields(body);
        const fields = { ...readPoolForm(form), slug: pool.slug };
        // The form holds every field, so saving an old one would undo what somebody else changed since.
        if (form.text("seen") !== pool.updated_at)
          return poolPage(operator, pool, { fields, errors: CHANGED_MEANWHILE });
        const parsed = parseInput(poolChangeSchema, poolInputOf(fields, form.text("meta_access_token")));
        if (parsed.kind === "invalid") {
          return poolPage(operator, pool, { fields, errors: fieldErrors(parsed.issues, poolFieldOf) });
        }
        const result = await updatePool(deps, operator.actor, pool.slug, parsed.value);
        switch (result.kind) {
          case "updated":
            return doneAndSee(operator, `/ops/pools/${pool.id}`, "Saved.");
          case "unchanged":
            return doneAndSee(operator, `/ops/pools/${pool.id}`, "Nothing was different.");
          case "not_found":
            return noSuchPool(operator);
          case "invalid":
            return poolPage(operator, pool, { fields, errors: fieldErrors(result.issues, poolFieldOf) });
        }
      })
      .post("/ops/pools/:id/check-pixel", async ({ operator, params }) => {
        const pool = await findPool(params.id);
        const row = pool && (await findPoolRow(db, db.tables, pool.id));
        if (!row) return noSuchPool(operator);
        return poolPage(operator, pool, { trial: checkTrial(await checkPoolPixel(pixelDeps, row)) });
      })
      .post("/ops/pools/:id/test-event", async ({ operator, params, body, request, server }) => {
        const pool = await findPool(params.id);
        const row = pool && (await findPoolRow(db, db.tables, pool.id));
        if (!row) return noSuchPool(operator);
        const testCode = formFields(body).text("test_event_code");
        const parsed = parseInput(poolChangeSchema, { meta_test_event_code: testCode });
        const code = parsed.kind === "valid" ? parsed.value.meta_test_event_code : null;
        if (!code) {
          const codeError = parsed.kind === "invalid" ? parsed.issues[0]?.message : "give the test's code";
          return poolPage(operator, pool, { testCode, codeError });
        }
        const peer = server?.requestIP(request)?.address ?? null;
        const test = await sendTestEvent(pixelDeps, operator.actor, row, code, {
          url: `${baseUrl(deps.config)}/go/${pool.slug}`,
          userAgent: request.headers.get("user-agent"),
          clientIp: deps.clientAddress.find(peer, request.headers.get("x-forwarded-for")),
        });
        return poolPage(operator, pool, { testCode, trial: eventTrial(test, code) });
      })
      // The addresses of those two answers, opened anew.
      .get("/ops/pools/:id/check-pixel", ({ params }) =>
        seeOther(`/ops/pools/${encodeURIComponent(params.id)}`),
      )
      .get("/ops/pools/:id/test-event", ({ params }) =>
        seeOther(`/ops/pools/${encodeURIComponent(params.id)}`),
      )
  );
}

/** What a pool's page shows besides the pool as it is: a form that was not taken, or what Meta said. */
interface PoolShown {
  readonly fields?: PoolFields;
  readonly errors?: FieldErrors;
  readonly testCode?: string;
  readonly codeError?: string | undefined;
  readonly trial?: PixelTrial;
}

const CHANGED_MEANWHILE: FieldErrors = {
  "": "The pool was changed since this page was opened, and saving would undo that. Below is what you typed: compare it with the audit log and save again.",
};

function noSuchPool(operator: Operator): Response {
  return opsPage(operator, {
    title: "Not found",
    section: "pools",
    status: 404,
    children: NotFound({ text: "There is no such pool." }),
  });
}
