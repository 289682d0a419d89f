import { Elysia } from "elysia";
import { NotFound } from "../../../views/ops/not-found.tsx";
import { JobPage, JobProgress } from "../../../views/ops/outbox-job.tsx";
import { AskReplayPage, changedText, whyNothing } from "../../../views/ops/outbox-replay.tsx";
import { auditedReplay } from "../../audit/audited-replay.ts";
import { countReplay, type Replay } from "../../outbox/replay.ts";
import { urlOf } from "../../platform/request-url.ts";
import { fragmentAnswer, seeOther } from "../answer.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { opsGuard } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";
import { listPages, outboxAddress } from "./list-page.ts";
import { filledFields } from "./outbox-query.ts";
import { readReplayForm } from "./replay-form.ts";
import { createReplayJobs } from "./replay-jobs.ts";

/**
 * Retry and discard: `GET /ops/outbox/replay` counts and asks, the POST does it, at once for chosen events and as a
 * job for all that a filter matches.
 */
export function replayPages(deps: OpsDeps) {
  const { db, now } = deps;
  const jobs = createReplayJobs(deps);
  const listPage = listPages(deps);
  return new Elysia({ name: "ops.outbox.replay" })
    .onStop(() => jobs.stop())
    .use(opsGuard(deps))
    .get("/ops/outbox/replay", async ({ operator, request }) => {
      const given = readReplayForm(formFields(urlOf(request).searchParams), operator.frame.zone);
      if (given.asked === null) return listPage(operator, given, { status: 400, wasChange: true });
      const { action, selection } = given.asked;
      const filled = filledFields(given.fields);
      return opsPage(operator, {
        title: action === "retry" ? "Retry" : "Discard",
        section: "outbox",
        children: AskReplayPage({
          action,
          total: await countReplay(db, action, selection),
          ids: "ids" in selection ? selection.ids : null,
          filled,
          back: outboxAddress(filled),
          csrfToken: operator.frame.csrfToken,
        }),
      });
    })
    .post("/ops/outbox/replay", async ({ operator, body }) => {
      const form = formFields(body);
      const given = readReplayForm(form, operator.frame.zone);
      if (given.asked === null) return listPage(operator, given, { status: 400, wasChange: true });
      const { actor } = operator;
      const { action, selection } = given.asked;
      if ("filter" in selection) {
        const id = jobs.start({ action, filter: selection.filter, actor, total: given.total });
        return seeOther(`/ops/outbox/jobs/${id}`);
      }
      const changed = await auditedReplay(db, now, { action, selection, actor });
      const [only] = selection.ids;
      const back = form.has("on_row") ? `/ops/outbox/${only}` : outboxAddress(filledFields(given.fields));
      return doneAndSee(operator, back, doneText(action, changed), changed === 0 ? "warn" : "good");
    })
    .get("/ops/outbox/jobs/:id", ({ operator, params }) => {
      const job = jobs.find(params.id);
      return opsPage(operator, {
        title: "Change of many events",
        section: "outbox",
        status: job === null ? 404 : 200,
        children:
          job === null
            ? NotFound({
                text: "This process does not know the change, or not any more: it began in another one, or before a restart, or many others have ended since. The audit log says when it began and, once it has ended, how many events it came to.",
              })
            : JobPage({ id: params.id, job }),
      });
    })
    .get("/ops/outbox/jobs/:id/progress", ({ params }) =>
      fragmentAnswer(String(JobProgress({ id: params.id, job: jobs.find(params.id) }))),
    );
}

function doneText(action: Replay, total: number): string {
  return total === 0 ? `Nothing was changed. ${whyNothing(action)}` : changedText(action, total);
}
