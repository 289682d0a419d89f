/**
 * A child process for the crash tests: receives one payment report and kills itself, with no warning, right
 * before the k-th thing that its transaction asks of the database (or right before the commit).
 *
 * argv: database URL, provider reference, k. Ends by SIGKILL, or with 0 where the work took fewer steps than k.
 */
import type { Database, Tx } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { createLog } from "../../src/platform/log.ts";

const [url = "", providerRef = "", k = ""] = process.argv.slice(2);
let step = 0;

function dieAt(): void {
  step++;
  if (step === Number(k)) process.kill(process.pid, "SIGKILL");
}

const db = await openDatabase({ url });
const mortal: Database = {
  ...db,
  transaction: (work) =>
    db.transaction(async (tx) => {
      const watched: Tx = {
        ...tx,
        select: ((...fields: Parameters<Tx["select"]>) => {
          dieAt();
          return tx.select(...fields);
        }) as Tx["select"],
        insert: (table) => {
          dieAt();
          return tx.insert(table);
        },
        update: (table) => {
          dieAt();
          return tx.update(table);
        },
        insertMany: (...rest) => {
          dieAt();
          return tx.insertMany(...rest);
        },
        notify: (channel) => {
          dieAt();
          return tx.notify(channel);
        },
      };
      const result = await work(watched);
      dieAt();
      return result;
    }),
};

await receiveReport(
  {
    db: mortal,
    log: createLog("silent"),
    now: () => new Date(),
    starsUsdMinorPerThousand: null,
    trackingData: async () => null,
  },
  {
    provider: "generic",
    providerRef,
    event: { kind: "paid" },
    registration: {
      provider: "generic",
      provider_ref: providerRef,
      amount_minor: 4990,
      currency: "BRL",
      bot: "shop_bot",
      telegram_user_id: "777",
    },
  },
);
await db.close();
