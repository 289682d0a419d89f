import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { parseInput } from "../../platform/parse-input.ts";
import { createPool, deletePool, updatePool } from "../../pools/manage-pools.ts";
import { poolChangeSchema, poolDraftSchema } from "../../pools/pool-rules.ts";
import type { PoolView } from "../../pools/pool-view.ts";
import type { OpsDeps } from "../deps.ts";
import type { FormFields } from "../form.ts";
import { fieldErrors } from "../form-errors.ts";
import type { Operator } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { overtaken, overtakenText, submit } from "../submit.ts";
import { noSuchPool } from "./find.ts";
import { poolDraftOf, poolFieldOf, poolInputOf, readPoolForm } from "./pool-form.ts";
import type { showPools } from "./show.ts";

const IN_USE = "It was not removed: it had visitors, or events of it wait. Turn its link off instead.";

/** The forms of pools: each is carried out, or shown again with what is wrong. */
export function changePools(deps: OpsDeps, show: ReturnType<typeof showPools>) {
  return {
    create(operator: Operator, form: FormFields): Promise<Response> {
      const fields = readPoolForm(form);
      const again = (errors: FieldErrors) => show.empty(operator, fields, errors);
      return submit({
        parsed: parseInput(poolDraftSchema, poolDraftOf(fields, form)),
        change: (draft) => createPool(deps, operator.actor, draft),
        wrong: (issues) => again(fieldErrors(issues, poolFieldOf)),
        done(result) {
          switch (result.kind) {
            case "created":
              return doneAndSee(operator, `/ops/pools/${result.pool.id}`, "The pool is made.");
            case "slug_taken":
              return again({ slug: "there is a pool of this slug already" });
          }
        },
      });
    },

    update(operator: Operator, pool: PoolView, form: FormFields): Promise<Response> {
      const fields = { ...readPoolForm(form), slug: pool.slug };
      const path = `/ops/pools/${pool.id}#top`;
      const again = (errors: FieldErrors, stored = pool) => show.one(operator, stored, { fields, errors });
      return submit({
        parsed: overtaken("pool", form, pool) ?? parseInput(poolChangeSchema, poolInputOf(fields, form)),
        change: (change) => updatePool(deps, operator.actor, pool, change),
        wrong: (issues) => again(fieldErrors(issues, poolFieldOf)),
        done(result) {
          switch (result.kind) {
            case "updated":
              return doneAndSee(operator, path, "Saved.");
            case "unchanged":
              return doneAndSee(operator, path, "Nothing was different.");
            case "overtaken":
              return again({ "": overtakenText("pool") }, result.current);
            case "not_found":
              return noSuchPool(operator);
          }
        },
      });
    },

    async remove(operator: Operator, pool: PoolView): Promise<Response> {
      const result = await deletePool(deps, operator.actor, pool.slug);
      switch (result.kind) {
        case "deleted":
          return doneAndSee(operator, "/ops/pools", `The pool ${pool.slug} is removed.`);
        case "not_found":
          return noSuchPool(operator);
        case "in_use":
          return doneAndSee(operator, `/ops/pools/${pool.id}`, IN_USE, "warn");
      }
    },
  };
}
