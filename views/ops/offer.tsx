/** @jsxImportSource @kitajs/html */
import { ConfirmForm } from "./form.tsx";
import type { FieldErrors } from "./form-data.ts";
import type { OfferFields } from "./offer-data.ts";
import { OfferForm } from "./offer-form.tsx";
import { Badge, Banner, Card, Facts, PageHead } from "./parts.tsx";
import { TimeOf } from "./time.tsx";

interface FormProps {
  readonly fields: OfferFields;
  readonly errors: FieldErrors;
  readonly providers: readonly string[];
  readonly csrfToken: string;
}

interface SellingBot {
  readonly id: number;
  readonly username: string;
}

/** What is known of an offer besides its form. */
interface OfferState {
  readonly id: number;
  readonly name: string;
  readonly enabled: boolean;
  /** As buyers read it. */
  readonly price: string;
  /** Why nobody can pay for it, and what to do. */
  readonly warning: { readonly why: string; readonly todo: string } | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** The form of an offer that is not stored yet; the bot is the one that will sell it. */
export function NewOfferPage(
  props: FormProps & {
    readonly bot: SellingBot;
    /** The number of the newest offer there is. */
    readonly newest: number;
  },
): JSX.Element {
  const { bot, newest, ...form } = props;
  return (
    <>
      <PageHead title="New offer" lead={`Of @${bot.username}, which shows it as soon as it is saved.`}>
        <BotLink bot={bot} />
      </PageHead>
      <Card title="Settings">
        <OfferForm
          {...form}
          action={`/ops/bots/${bot.id}/offers/new`}
          submit="Make the offer"
          seen={String(newest)}
        />
      </Card>
    </>
  );
}

/** One offer: what it is, and everything that may be changed. */
export function OfferPage(
  props: FormProps & { readonly bot: SellingBot; readonly offer: OfferState; readonly zone: string },
): JSX.Element {
  const { bot, offer, zone, ...form } = props;
  const path = `/ops/offers/${offer.id}`;
  return (
    <>
      <PageHead title={offer.name} lead={`Offer of @${bot.username}, ${offer.price}`}>
        <Badge tone={offer.enabled ? "good" : "idle"} text={offer.enabled ? "for sale" : "off"} />
        <BotLink bot={bot} />
      </PageHead>
      {offer.warning ? (
        <Banner tone="warn" title={offer.warning.why}>
          <p safe>{offer.warning.todo}</p>
        </Banner>
      ) : null}
      <Card title="Settings" id="settings">
        <OfferForm {...form} action={`${path}#settings`} submit="Save" seen={offer.updated_at} />
      </Card>
      <Card title="About">
        <Facts
          items={[
            { name: "Number", value: <span safe>{String(offer.id)}</span> },
            { name: "Made", value: <TimeOf at={offer.created_at} zone={zone} /> },
            { name: "Changed", value: <TimeOf at={offer.updated_at} zone={zone} /> },
          ]}
        />
        <ConfirmForm
          action={`${path}/remove`}
          csrfToken={form.csrfToken}
          label="Remove the offer…"
          question="An offer that somebody looked at or bought stays: turn it off instead. There is no undo."
          confirm="Remove the offer"
          danger
        />
      </Card>
    </>
  );
}

function BotLink({ bot }: { readonly bot: SellingBot }): JSX.Element {
  return (
    <a class="button" href={`/ops/bots/${bot.id}#offers`}>
      Its bot
    </a>
  );
}
