/** @jsxImportSource @kitajs/html */
import { ConfirmForm } from "./form.tsx";
import type { EventFacts, EventHold } from "./outbox-data.ts";
import { Banner } from "./parts.tsx";
import { TimeOf } from "./time.tsx";

/** A route of which nothing goes: why, since when, and what lets it go. */
export function HeldRoute(props: {
  readonly route: Pick<EventFacts, "destination" | "route">;
  readonly hold: EventHold;
  /** Where its token is given, in words; empty where that is not known. */
  readonly tokenPlace: JSX.Element;
  /** The page that one comes back to. */
  readonly back: string;
  readonly csrfToken: string;
  readonly zone: string;
}): JSX.Element {
  const { hold, tokenPlace: safeTokenPlace, back, csrfToken, zone } = props;
  const { destination, route } = props.route;
  if (hold.state !== "paused")
    return (
      <Banner
        tone="warn"
        title={hold.state === "throttled" ? "Held: asked to slow down" : "Held: resting after failures"}
      >
        <p>
          <span safe>{`All of ${destination} ${route} waits until `}</span>
          <TimeOf at={hold.until} zone={zone} />
          <span>; it goes on by itself then.</span>
        </p>
      </Banner>
    );
  return (
    <Banner tone="bad" title="Its route is paused: nothing is sent by itself">
      <p>
        <span safe>{`Nothing of ${destination} ${route} has been sent since `}</span>
        <TimeOf at={hold.paused_at} zone={zone} />
        {": "}
        <q safe>{hold.paused_reason ?? ""}</q>
      </p>
      <p>
        {destination === "meta" ? (
          <>
            Meta takes events for seven days. Where its token is to blame, a new one lets everything that
            waits go by itself. {safeTokenPlace}
          </>
        ) : (
          "A new token of the bot lets everything that waits go by itself."
        )}
      </p>
      <ConfirmForm
        action="/ops/routes/resume"
        csrfToken={csrfToken}
        label="Resume…"
        question="For where something else than the token was to blame and is put right, or somebody paused it by hand. If the cause is still there, it pauses again and nothing is lost."
        confirm="Resume the route"
        fields={{ destination, route, back }}
      />
    </Banner>
  );
}

/** The pool by its slug, and a link to its page where it has one. */
export function poolLink(slug: string, poolId: number | null): JSX.Element {
  return poolId === null ? (
    <span safe>{slug}</span>
  ) : (
    <a href={`/ops/pools/${poolId}`} safe>
      {slug}
    </a>
  );
}
