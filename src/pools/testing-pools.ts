import { and, eq, isNotNull, ne } from "drizzle-orm";
import type { Database } from "../db/database.ts";

/** A pool whose events show in Meta's test view as well as being counted, and the code that does it. */
interface TestingPool {
  readonly id: number;
  readonly slug: string;
  readonly code: string;
}

/** The pools that are on and have a test code, which somebody may have forgotten to take out. */
export async function testingPools(db: Database): Promise<TestingPool[]> {
  const { pools } = db.tables;
  const rows = await db
    .select({ id: pools.id, slug: pools.slug, code: pools.metaTestEventCode })
    .from(pools)
    .where(and(eq(pools.enabled, true), isNotNull(pools.metaTestEventCode), ne(pools.metaTestEventCode, "")))
    .orderBy(pools.slug);
  return rows.flatMap(({ code, ...pool }) => (code === null ? [] : [{ ...pool, code }]));
}
