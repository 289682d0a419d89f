import { Elysia } from "elysia";
import { recordAudit } from "../audit/audit-log.ts";
import { isTimeZone } from "../config/kinds.ts";
import { insideOps, seeOther } from "./answer.ts";
import { cookieHeader, cookieName, readCookies, YEAR_SECONDS } from "./auth/cookies.ts";
import { endAllSessions, endSession } from "./auth/session.ts";
import { SESSION_COOKIE, ZONE_COOKIE } from "./cookie-names.ts";
import type { OpsDeps } from "./deps.ts";
import { formFields } from "./form.ts";
import { opsGuard } from "./guard.ts";

/** What concerns the operator and not the ads: leaving, and the time zone. */
export function accountPages(deps: OpsDeps) {
  const { db, now } = deps;
  return new Elysia({ name: "ops.account" })
    .use(opsGuard(deps))
    .post("/ops/logout", async ({ request, operator, body }) => {
      const { secure, actor } = operator;
      const name = cookieName(SESSION_COOKIE, secure);
      const everywhere = formFields(body).has("everywhere");
      await db.transaction(async (tx) => {
        if (everywhere) await endAllSessions(tx, db.tables);
        else await endSession(tx, db.tables, readCookies(request).get(name));
        const action = everywhere ? "operator.logout_everywhere" : "operator.logout";
        await recordAudit(tx, db.tables, { at: now(), actor, action, subject: "operator" });
      });
      return seeOther("/ops/login", [cookieHeader({ name, value: "", maxAgeSeconds: 0, secure })]);
    })
    .post("/ops/zone", ({ operator, body }) => {
      const fields = formFields(body);
      const zone = fields.text("zone");
      const back = insideOps(fields.text("back"));
      if (!isTimeZone(zone)) return seeOther(back);
      const value = encodeURIComponent(zone);
      return seeOther(back, [
        cookieHeader({ name: ZONE_COOKIE, value, maxAgeSeconds: YEAR_SECONDS, secure: operator.secure }),
      ]);
    });
}
