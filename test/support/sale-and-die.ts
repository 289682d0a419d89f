/**
 * A child process for the crash tests: something happens to a sale, and the process dies in the middle of it (see
 * `mortal-driver`).
 *
 * argv: database URL, the step as JSON, k. Ends by SIGKILL, or with 0 where the work took fewer steps than k.
 */
import { openDatabase } from "../../src/db/open.ts";
import { mortalDriver } from "./mortal-driver.ts";
import { happen, saleStepSchema } from "./sale-step.ts";

const [url = "", step = "", k = ""] = process.argv.slice(2);

async function sellAndDie(): Promise<void> {
  const mortal = mortalDriver(Number(k));
  const db = await openDatabase({ url });
  await happen(mortal(db), saleStepSchema.parse(JSON.parse(step)));
  await db.close();
}

sellAndDie();
