/** @jsxImportSource @kitajs/html */
/// <reference types="@kitajs/html/htmx.d.ts" />
import type { EndedJob, ReplayJob } from "./outbox-data.ts";
import { changedText, eventsText } from "./outbox-replay.tsx";
import { Banner, Card, PageHead } from "./parts.tsx";

/** A change of many events while it goes on, and what it came to. */
export function JobPage({ id, job }: { readonly id: string; readonly job: ReplayJob }): JSX.Element {
  return (
    <>
      <PageHead title={job.action === "retry" ? "Retrying events" : "Discarding events"}>
        <a class="button" href="/ops/outbox">
          All events
        </a>
      </PageHead>
      <JobProgress id={id} job={job} />
    </>
  );
}

/** The part that renews itself until the work has ended; null: this process does not know the job any more. */
export function JobProgress({
  id,
  job,
}: {
  readonly id: string;
  readonly job: ReplayJob | null;
}): JSX.Element {
  const address = `/ops/outbox/jobs/${encodeURIComponent(id)}`;
  if (job === null)
    return (
      <Banner tone="warn" title="It is not known how far it is">
        This process was started anew, or many other changes have ended since. The{" "}
        <a href="/ops/audit">audit log</a> says how it ended.
      </Banner>
    );
  if (job.state !== "running") return <JobEnd job={job} />;
  return (
    <div class="stack" hx-get={`${address}/progress`} hx-trigger="every 1s" hx-swap="outerHTML">
      <Card title="In progress" lead="It goes on by itself; this page may be closed.">
        <progress
          aria-label="Events done"
          max={String(Math.max(job.total ?? 0, job.done, 1))}
          value={job.total === null ? undefined : String(job.done)}
        />
        <p
          safe
        >{`${eventsText(job.done)} done${job.total === null ? "" : `, of about ${eventsText(job.total)}`}.`}</p>
        <p data-without-js="">
          <a class="button" href={address}>
            Look again
          </a>
        </p>
      </Card>
    </div>
  );
}

function JobEnd({ job }: { readonly job: EndedJob }): JSX.Element {
  const what =
    job.done === 0
      ? "Nothing was changed: no event matches any more that can be."
      : changedText(job.action, job.done);
  switch (job.state) {
    case "finished":
      return (
        <Banner tone="good" title="Done" announced>
          <span safe>{what}</span>
        </Banner>
      );
    case "stopped":
      return (
        <Banner tone="warn" title="Stopped: the process is ending" announced>
          <span safe>{`${what} Ask again for the rest.`}</span>
        </Banner>
      );
    case "failed":
      return (
        <Banner tone="bad" title="It failed half way; the log says why" announced>
          <span safe>{`${what} Asking again goes on with the rest.`}</span>
        </Banner>
      );
  }
}
