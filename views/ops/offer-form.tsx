/** @jsxImportSource @kitajs/html */
import { CheckField, TextArea, TextField, ticked, typed } from "./fields.tsx";
import type { FieldErrors } from "./form-data.ts";
import type { OfferFields } from "./offer-data.ts";
import { SettingsForm, type SettingsFormProps } from "./settings-form.tsx";

/** What operators of such bots most often sell in; any other code may be typed. */
const COMMON_CURRENCIES = ["BRL", "USD", "EUR", "MXN", "XTR"];

interface PartProps {
  readonly fields: OfferFields;
  readonly errors: FieldErrors;
  /** Who can take money on this server. */
  readonly providers: readonly string[];
}

interface OfferFormProps extends PartProps, SettingsFormProps {
  /** The version of the offer that is changed; of a new one, which offer is the newest. */
  readonly seen: string;
}

/** Everything about an offer that may be set. */
export function OfferForm(props: OfferFormProps): JSX.Element {
  const { fields, errors, providers } = props;
  return (
    <SettingsForm {...props}>
      <fieldset>
        <legend>Offer</legend>
        <TextField
          label="Name"
          {...typed("name", fields, errors)}
          required
          hint="On its button, and on the receipt."
        />
        <TextArea
          label="Description"
          {...typed("description", fields, errors)}
          hint="What a tap on the button shows."
        />
        <CheckField
          label="For sale"
          {...ticked("enabled", fields, errors)}
          hint="Off: it has no button any more. Payments that were begun go on."
        />
        <TextField
          label="Place"
          {...typed("position", fields, errors)}
          hint="Among the bot's offers, from 0. Left empty, a new offer stands last."
        />
      </fieldset>
      <PricePart fields={fields} errors={errors} providers={providers} />
      <fieldset>
        <legend>Delivery</legend>
        <TextArea
          label="What the buyer receives"
          {...typed("delivery", fields, errors)}
          hint="A text or a link. The bot sends it as soon as the payment is confirmed."
        />
      </fieldset>
    </SettingsForm>
  );
}

function PricePart({ fields, errors, providers }: PartProps): JSX.Element {
  return (
    <fieldset>
      <legend>Price</legend>
      <TextField
        label="Price"
        {...typed("price", fields, errors)}
        required
        placeholder="49.90"
        hint="In the currency, with a point; whole Stars for XTR. Payments that were begun keep theirs."
      />
      <TextField
        label="Currency"
        {...typed("currency", fields, errors)}
        required
        placeholder="BRL"
        list={COMMON_CURRENCIES}
        hint="ISO 4217 code, or XTR for Telegram Stars."
      />
      <TextField
        label="Who takes the money"
        {...typed("provider", fields, errors)}
        list={providers}
        hint={`Set up on this server: ${providers.join(", ")}. Stars are always Telegram's, and telegram in money needs the bot's payment token.`}
      />
    </fieldset>
  );
}
