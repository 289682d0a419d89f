/** @jsxImportSource @kitajs/html */
import { HiddenFields, PostForm } from "./form.tsx";
import { countedText, countText } from "./numbers.ts";
import { REPLAY_ADDRESS, type ReplayAction } from "./outbox-data.ts";
import { Banner, Card, PageHead } from "./parts.tsx";

/** The address of the question about all that a filter matches, or about certain events. */
export function askAddress(
  action: ReplayAction,
  of: { readonly ids: readonly number[] } | "all",
  filled: Readonly<Record<string, string>>,
): string {
  const query = new URLSearchParams({ action, ...filled });
  if (of === "all") query.set("all", "1");
  else for (const id of of.ids) query.append("id", String(id));
  return `${REPLAY_ADDRESS}?${query}`;
}

/** Asks before many events are sent or dropped, with their number. */
export function AskReplayPage(props: {
  readonly action: ReplayAction;
  /** How many of those asked about can be changed now. */
  readonly total: number;
  /** Certain events; null for all that the filter matches. */
  readonly ids: readonly number[] | null;
  readonly filled: Readonly<Record<string, string>>;
  readonly back: string;
  readonly csrfToken: string;
}): JSX.Element {
  const { action, total, ids, filled } = props;
  const verb = action === "retry" ? "Retry" : "Discard";
  const chosen = ids?.length ?? total;
  const back = (
    <a class="button" href={props.back}>
      Back without a change
    </a>
  );
  if (total === 0)
    return (
      <>
        <PageHead title={`Nothing to ${action}`} />
        <Banner tone="info">
          {ids === null ? <FilterText filled={filled} /> : null}
          <p safe>{whyNothing(action)}</p>
        </Banner>
        <div class="actions">{back}</div>
      </>
    );
  return (
    <>
      <PageHead title={`${verb} ${eventsText(total)}?`} />
      <Card title={ids === null ? "All that the filter matches" : "The events you chose"}>
        {ids === null ? <FilterText filled={filled} /> : null}
        {chosen > total ? (
          <p
            safe
          >{`Of ${eventsText(chosen)} only ${countText(total)} can be changed: the others were delivered, are on their way, or are so already.`}</p>
        ) : null}
        <p safe>{consequence(action)}</p>
        <PostForm action={REPLAY_ADDRESS} csrfToken={props.csrfToken} class="actions">
          <input type="hidden" name="action" value={action} />
          <HiddenFields fields={filled} />
          {ids === null ? (
            <>
              <input type="hidden" name="all" value="1" />
              <input type="hidden" name="total" value={String(total)} />
            </>
          ) : (
            ids.map((id) => <input type="hidden" name="id" value={String(id)} />)
          )}
          <button type="submit" class={action === "discard" ? "danger" : "primary"} safe>
            {`${verb} ${eventsText(total)}`}
          </button>
          {back}
        </PostForm>
      </Card>
    </>
  );
}

function FilterText({ filled }: { readonly filled: Readonly<Record<string, string>> }): JSX.Element {
  const names = Object.entries(filled).map(([name, value]) => `${name} “${value}”`);
  const known = names.length > 0 ? names.join(", ") : "everything";
  return (
    <p class="words" safe>
      {"status" in filled ? `Filter: ${known}.` : `Filter: ${known}, of those that are dead or expired.`}
    </p>
  );
}

function consequence(action: ReplayAction): string {
  return action === "retry"
    ? "They will be sent at once, or, where their route is paused, when it goes again. What was sent cannot be taken back."
    : "They will not be sent. There is no undo; a discarded event can be retried until retention removes it.";
}

/** Of events none of which can be changed. */
export function whyNothing(action: ReplayAction): string {
  return action === "retry"
    ? "What waits and is due goes by itself, unless its route is paused. Delivered events are never sent again, those on their way are left alone, and some are not sent any more: an erased person's, what was bought with money that went back, a way to pay for what is paid."
    : "Delivered and discarded events are left as they are, and so are those on their way.";
}

/** What became of so many. */
export function changedText(action: ReplayAction, total: number): string {
  return action === "retry" ? `${eventsText(total)} will be sent again.` : `${eventsText(total)} discarded.`;
}

/** e.g. `1 event`, `1,234 events`. */
export function eventsText(total: number): string {
  return countedText(total, "event");
}
