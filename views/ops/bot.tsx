/** @jsxImportSource @kitajs/html */
import type { BotFields, OfferLine, PeopleCount, WebhookFacts } from "./bot-data.ts";
import { BotForm, type StoredBot } from "./bot-form.tsx";
import { BotWebhook } from "./bot-webhook.tsx";
import { BotBadge, peopleText, WebhookCell } from "./bots.tsx";
import { ConfirmForm } from "./form.tsx";
import type { FieldErrors } from "./form-data.ts";
import type { Piece } from "./list-data.ts";
import { OffersCard } from "./offers.tsx";
import { Banner, Card, Facts, PageHead } from "./parts.tsx";
import { TimeOf } from "./time.tsx";

interface FormProps {
  readonly fields: BotFields;
  readonly errors: FieldErrors;
  readonly csrfToken: string;
}

/** What is known of a bot besides its form. */
interface BotState extends StoredBot {
  readonly id: number;
  readonly username: string;
  readonly telegram_id: string | null;
  readonly enabled: boolean;
  readonly healthy: boolean;
  readonly health_reason: string | null;
  readonly pools: readonly { readonly id: number; readonly slug: string }[];
  readonly people: PeopleCount;
  readonly created_at: string;
}

/** The form of a bot that is not stored yet. */
export function NewBotPage(props: FormProps): JSX.Element {
  return (
    <>
      <PageHead title="New bot" lead="Put it into a pool afterwards, and visitors are sent to it." />
      <Card title="Settings">
        <BotForm {...props} action="/ops/bots/new" submit="Make the bot" bot={null} />
      </Card>
    </>
  );
}

/** One bot: what it sells, what it is, and everything that may be changed. */
export function BotPage(
  props: FormProps & {
    readonly bot: BotState;
    readonly offers: Piece<OfferLine>;
    /** What Telegram was just asked. */
    readonly webhook: WebhookFacts | null;
    readonly zone: string;
  },
): JSX.Element {
  const { bot, offers, webhook, zone, ...form } = props;
  const path = `/ops/bots/${bot.id}`;
  return (
    <>
      <PageHead title={`@${bot.username}`} lead={startedText(bot.people)}>
        <BotBadge bot={bot} />
        <a class="button" href={`https://t.me/${encodeURIComponent(bot.username)}`} rel="noreferrer">
          Open in Telegram
        </a>
      </PageHead>
      {bot.healthy ? null : <Unhealthy reason={bot.health_reason} />}
      <OffersCard offers={offers} path={path} />
      <Card title="Settings" id="settings">
        <BotForm {...form} action={`${path}#settings`} submit="Save" bot={bot} />
      </Card>
      <BotWebhook path={path} hasToken={bot.has_token} csrfToken={form.csrfToken} webhook={webhook} />
      <Card title="About">
        <Facts
          items={[
            { name: "Pools", value: <PoolLinks pools={bot.pools} /> },
            { name: "Webhook", value: <WebhookCell bot={bot} /> },
            { name: "Number at Telegram", value: <span safe>{bot.telegram_id ?? "not known"}</span> },
            { name: "Number here", value: <span safe>{String(bot.id)}</span> },
            { name: "Made", value: <TimeOf at={bot.created_at} zone={zone} /> },
            { name: "Changed", value: <TimeOf at={bot.updated_at} zone={zone} /> },
          ]}
        />
        <ConfirmForm
          action={`${path}/remove`}
          csrfToken={form.csrfToken}
          label="Remove the bot…"
          question="A bot that a pool, an offer or a person names stays: turn it off instead. There is no undo."
          confirm="Remove the bot"
          danger
        />
      </Card>
    </>
  );
}

function startedText(people: PeopleCount): string {
  if (people.total === 0) return "Nobody started it yet";
  return people.total === 1 ? "1 person started it" : `${peopleText(people)} people started it`;
}

function Unhealthy({ reason }: { readonly reason: string | null }): JSX.Element {
  return (
    <Banner tone="bad" title="No visitor is sent to this bot">
      Telegram refuses its token: <q safe>{reason ?? "no reason was given"}</q>. Save a new token below, or
      take the bot out of its pools. It gets visitors again as soon as Telegram takes its token.
    </Banner>
  );
}

function PoolLinks({ pools }: Pick<BotState, "pools">): JSX.Element {
  if (pools.length === 0) return <span class="soft">none: no visitor is sent to it</span>;
  return (
    <>
      {pools.map(({ id, slug }, i) => (
        <>
          {i > 0 ? ", " : ""}
          <a href={`/ops/pools/${id}`} safe>
            {slug}
          </a>
        </>
      ))}
    </>
  );
}
