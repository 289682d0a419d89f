/** @jsxImportSource @kitajs/html */
import { CheckField, TextArea, TextField } from "./form.tsx";
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
  readonly offer: { readonly updated_at: string } | null;
}

/** Everything about an offer that may be set. `offer` is the one that is changed, null for a new one. */
export function OfferForm(props: OfferFormProps): JSX.Element {
  const { fields, errors, providers, offer } = props;
  return (
    <SettingsForm {...props} stored={offer}>
      <fieldset>
        <legend>Offer</legend>
        <TextField
          label="Name"
          name="name"
          value={fields.name}
          required
          hint="On its button, and on the receipt."
          error={errors.name}
        />
        <TextArea
          label="Description"
          name="description"
          value={fields.description}
          hint="What a tap on the button shows."
          error={errors.description}
        />
        <CheckField
          label="For sale"
          name="enabled"
          checked={fields.enabled}
          hint="Off: it has no button any more. Payments that were begun go on."
          error={errors.enabled}
        />
        <TextField
          label="Place"
          name="position"
          value={fields.position}
          hint="Among the bot's offers, from 0. Left empty, a new offer stands last."
          error={errors.position}
        />
      </fieldset>
      <PricePart fields={fields} errors={errors} providers={providers} />
      <fieldset>
        <legend>Delivery</legend>
        <TextArea
          label="What the buyer receives"
          name="delivery"
          value={fields.delivery}
          hint="A text or a link. The bot sends it as soon as the payment is confirmed."
          error={errors.delivery}
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
        name="price"
        value={fields.price}
        required
        placeholder="49.90"
        hint="In the currency, with a point; whole Stars for XTR. Payments that were begun keep theirs."
        error={errors.price}
      />
      <TextField
        label="Currency"
        name="currency"
        value={fields.currency}
        required
        placeholder="BRL"
        list={COMMON_CURRENCIES}
        hint="ISO 4217 code, or XTR for Telegram Stars."
        error={errors.currency}
      />
      <TextField
        label="Who takes the money"
        name="provider"
        value={fields.provider}
        list={providers}
        hint={`Set up on this server: ${providers.join(", ")}. Stars are always Telegram's, and telegram in money needs the bot's payment token.`}
        error={errors.provider}
      />
    </fieldset>
  );
}
