import { Elysia, status } from "elysia";
import { z } from "zod";
import { problem } from "../platform/problem.ts";
import {
  type CreatePoolResult,
  createPool,
  type DeletePoolResult,
  deletePool,
  type ManageDeps,
  type UpdatePoolResult,
  updatePool,
} from "../pools/manage-pools.ts";
import { poolChangeSchema, poolDraftSchema, SLUG_FORM } from "../pools/pool-rules.ts";
import { findPool, listPools, withoutGateValue } from "../pools/pool-view.ts";
import { CHANGES, describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { pageOfQuery, pageQuery } from "./params.ts";
import { wouldNotWork } from "./would-not-work.ts";

/** A pool in a path. */
export const poolParams = z.object({
  slug: z
    .string()
    .regex(SLUG_FORM)
    .meta({ examples: ["summer"] }),
});
const describe = describeRoute("Pools");
const GATE_VALUE = "A key that may only read gets null for `meta_cloaker_param_value`.";

/** `/api/pools`: what `ponte pool` does, for scripts. */
export function poolsApi(deps: ManageDeps & ApiRouteDeps) {
  const { db } = deps;
  return new Elysia({ name: "api.pools", prefix: "/api" })
    .use(apiGuard(deps))
    .get(
      "/pools",
      async ({ query, scope }) => {
        const page = await listPools(db, db.tables, pageOfQuery(query));
        return scope === "write" ? page : { ...page, items: page.items.map(withoutGateValue) };
      },
      {
        query: z.strictObject(pageQuery),
        detail: describe("List pools", { 200: "PoolPage" }, GATE_VALUE),
      },
    )
    .post("/pools", async ({ body, actor }) => madeAnswer(await createPool(deps, actor, body), body.slug), {
      parse: "json",
      body: poolDraftSchema,
      detail: describe("Make a pool", { 201: "Pool", 409: null, 422: null, ...CHANGES }),
    })
    .get(
      "/pools/:slug",
      async ({ params, scope }) => {
        const pool = await findPool(db, db.tables, params.slug);
        if (pool === null) return noSuchPool(params.slug);
        return scope === "write" ? pool : withoutGateValue(pool);
      },
      {
        params: poolParams,
        detail: describe("Read a pool", { 200: "Pool", 404: null }, GATE_VALUE),
      },
    )
    .patch(
      "/pools/:slug",
      async ({ params, body, actor }) =>
        changedAnswer(await updatePool(deps, actor, params.slug, body), params.slug),
      {
        params: poolParams,
        parse: "json",
        body: poolChangeSchema,
        detail: describe(
          "Change a pool",
          { 200: "Pool", 404: null, 422: null, ...CHANGES },
          "Only what is named changes; null clears. `bots` and `capture_params` are the whole new lists. Of two changes of one field the later stands.",
        ),
      },
    )
    .delete(
      "/pools/:slug",
      async ({ params, actor }) => removedAnswer(await deletePool(deps, actor, params.slug), params.slug),
      {
        params: poolParams,
        detail: describe("Remove a pool that never had a visit and has no event waiting", {
          204: null,
          404: null,
          409: null,
          ...CHANGES,
        }),
      },
    );
}

function madeAnswer(result: CreatePoolResult, slug: string) {
  switch (result.kind) {
    case "created":
      return status(201, result.pool);
    case "slug_taken":
      return problem(409, { detail: `There is a pool "${slug}" already; change it with PATCH.` });
    case "invalid":
      return wouldNotWork("pool", result.issues);
  }
}

function changedAnswer(result: UpdatePoolResult, slug: string) {
  switch (result.kind) {
    case "updated":
    case "unchanged":
      return result.pool;
    case "not_found":
      return noSuchPool(slug);
    case "invalid":
      return wouldNotWork("pool", result.issues);
  }
}

function removedAnswer(result: DeletePoolResult, slug: string) {
  switch (result.kind) {
    case "deleted":
      return status(204);
    case "not_found":
      return noSuchPool(slug);
    case "in_use":
      return problem(409, {
        detail: "The pool has had visits, or events of it wait; disable it instead: PATCH {enabled: false}.",
      });
  }
}

/** The answer 404 where no pool has that slug. */
export function noSuchPool(slug: string): Response {
  return problem(404, { detail: `There is no pool "${slug}".` });
}
