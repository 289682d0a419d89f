import { findPoolById, findPoolRow, type PoolRow, type PoolView } from "../../pools/pool-view.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { notFound } from "../not-found.ts";
import { findById } from "../params.ts";

/** Ends the request: the pool is not there. */
export function noSuchPool(operator: Operator): never {
  return notFound(operator, "pools", "There is no such pool.");
}

/** The pool whose number an address has, or else the end of the request. */
export async function poolAt({ db }: OpsDeps, operator: Operator, id: string): Promise<PoolView> {
  return (await findById(id, (n) => findPoolById(db, db.tables, n))) ?? noSuchPool(operator);
}

/** The same with its row, which has the sealed token. */
export async function poolWithRowAt(
  deps: OpsDeps,
  operator: Operator,
  id: string,
): Promise<{ readonly pool: PoolView; readonly row: PoolRow }> {
  const pool = await poolAt(deps, operator, id);
  const row = await findPoolRow(deps.db, deps.db.tables, pool.slug);
  return { pool, row: row ?? noSuchPool(operator) };
}
