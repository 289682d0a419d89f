import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import { readUnreportedSales } from "../../overview/unreported-sales.ts";
import { count } from "../print.ts";
import { type Finding, good, warning } from "./finding.ts";

const ONLY_NEWEST =
  "so many are kept from Meta on purpose that only the newest were looked at; docs/payments.md lists all that was paid and not reported";

/** Whether sales were paid that Meta was not told of, though nobody wanted it so. */
export async function checkSales(db: Database, config: Config): Promise<Finding[]> {
  const { count: sales, isMore } = await readUnreportedSales(db, config);
  if (sales === 0 && isMore) return [good("sales", ONLY_NEWEST)];
  const counted = `${isMore ? "over " : ""}${count(sales, "sale")}`;
  const todo =
    "The overview lists them (/ops, GET /api/overview). Register them again with tracking_token, or with bot and telegram_user_id: docs/payments.md.";
  return sales > 0
    ? [
        warning(
          "sales",
          `${counted} in seven days not reported to Meta: no pool with a pixel was known`,
          todo,
        ),
      ]
    : [];
}
