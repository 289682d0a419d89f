/** @jsxImportSource @kitajs/html */
import { AdLink } from "./ad-link.tsx";
import { ConfirmForm } from "./form.tsx";
import type { FieldErrors } from "./form-data.ts";
import { countText } from "./numbers.ts";
import type { EventHold } from "./outbox-data.ts";
import { HeldRoute } from "./outbox-hold.tsx";
import { Badge, Card, Facts, PageHead } from "./parts.tsx";
import type { AdLinkFacts, PixelTrial, PoolFields } from "./pool-data.ts";
import { PoolForm } from "./pool-form.tsx";
import { PoolPixel } from "./pool-pixel.tsx";
import { type Refusals, refusalsText } from "./refusals.tsx";
import { TimeOf } from "./time.tsx";

interface FormProps {
  readonly fields: PoolFields;
  readonly errors: FieldErrors;
  /** Bots that are there, for completion. */
  readonly botNames: readonly string[];
  readonly csrfToken: string;
}

/** What is known of a pool besides its form. */
interface PoolState {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly has_access_token: boolean;
  readonly total_redirects: number;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Whom the gate did not let in, in 24 hours and in 30 days. */
interface RefusedVisitors {
  readonly day: Refusals;
  readonly month: Refusals;
}

/** The form of a pool that is not stored yet. */
export function NewPoolPage(props: FormProps): JSX.Element {
  return (
    <>
      <PageHead title="New pool" lead="Its link is ready for ads as soon as it is saved." />
      <Card title="Settings">
        <PoolForm {...props} action="/ops/pools/new" submit="Make the pool" pool={null} />
      </Card>
    </>
  );
}

/** One pool: what it is, and everything that may be changed. */
export function PoolPage(
  props: FormProps & {
    readonly pool: PoolState;
    readonly adLink: AdLinkFacts;
    readonly testCode: string;
    readonly codeError: string | undefined;
    readonly trial: PixelTrial | null;
    /** What holds its events up, and on which route; null where nothing does. */
    readonly held: { readonly route: string; readonly hold: EventHold } | null;
    readonly refused: RefusedVisitors;
    readonly zone: string;
  },
): JSX.Element {
  const { pool, adLink, testCode, codeError, trial, held, refused, zone, ...form } = props;
  const path = `/ops/pools/${pool.id}`;
  return (
    <>
      <PageHead title={pool.name} lead={`Pool ${pool.slug}`}>
        <Badge tone={pool.enabled ? "good" : "idle"} text={pool.enabled ? "on" : "off"} />
        <a class="button" href={`/ops/outbox?pool=${encodeURIComponent(pool.slug)}`}>
          Its events
        </a>
      </PageHead>
      {held === null ? null : (
        <HeldRoute
          route={{ destination: "meta", route: held.route }}
          hold={held.hold}
          tokenPlace={<a href="#settings">Give it one below.</a>}
          back={path}
          csrfToken={form.csrfToken}
          zone={zone}
        />
      )}
      <AdLink facts={adLink} action={path} />
      <PoolPixel
        path={path}
        csrfToken={form.csrfToken}
        testCode={testCode}
        codeError={codeError}
        trial={trial}
      />
      <Card title="Settings" id="settings">
        <PoolForm {...form} action={`${path}#settings`} submit="Save" pool={pool} />
      </Card>
      <About pool={pool} path={path} refused={refused} csrfToken={form.csrfToken} zone={zone} />
    </>
  );
}

function About(props: {
  readonly pool: PoolState;
  readonly path: string;
  readonly refused: RefusedVisitors;
  readonly csrfToken: string;
  readonly zone: string;
}): JSX.Element {
  const { pool, path, refused, csrfToken, zone } = props;
  return (
    <Card title="About">
      <Facts
        items={[
          { name: "Visits", value: <span safe>{countText(pool.total_redirects)}</span> },
          { name: "Refused by the gate, 24 hours", value: <span safe>{refusalsText(refused.day)}</span> },
          { name: "Refused by the gate, 30 days", value: <span safe>{refusalsText(refused.month)}</span> },
          { name: "Made", value: <TimeOf at={pool.created_at} zone={zone} /> },
          { name: "Changed", value: <TimeOf at={pool.updated_at} zone={zone} /> },
        ]}
      />
      <ConfirmForm
        action={`${path}/remove`}
        csrfToken={csrfToken}
        label="Remove the pool…"
        question="A pool that had a visitor stays: turn its link off instead. There is no undo."
        confirm="Remove the pool"
        danger
      />
    </Card>
  );
}
