/** @jsxImportSource @kitajs/html */
import type { BotFields } from "./bot-data.ts";
import { CheckField, StoredSecretField, TextArea, TextField, ticked, typed } from "./fields.tsx";
import type { FieldErrors } from "./form-data.ts";
import { LanguageField } from "./language-field.tsx";
import { SettingsForm, type SettingsFormProps } from "./settings-form.tsx";

interface PartProps {
  readonly fields: BotFields;
  readonly errors: FieldErrors;
}

/** What is stored of the bot that is changed. */
export interface StoredBot {
  readonly has_token: boolean;
  readonly has_payment_token: boolean;
  readonly updated_at: string;
}

interface BotFormProps extends PartProps, SettingsFormProps {
  readonly bot: StoredBot | null;
}

/** Everything about a bot that may be set. `bot` is the one that is changed, null for a new one. */
export function BotForm(props: BotFormProps): JSX.Element {
  const { fields, errors, bot } = props;
  return (
    <SettingsForm {...props} withSecrets seen={bot?.updated_at}>
      <fieldset>
        <legend>Bot</legend>
        {bot === null ? (
          <TextField
            label="Username"
            {...typed("username", fields, errors)}
            required
            placeholder="shop_bot"
            hint="As Telegram knows it. Where it is changed there, it changes here."
          />
        ) : null}
        <CheckField
          label="Visitors are sent to it"
          {...ticked("enabled", fields, errors)}
          hint="Off: its pools send visitors to their other bots."
        />
      </fieldset>
      <GreetingPart fields={fields} errors={errors} />
      <TokenPart fields={fields} errors={errors} bot={bot} />
    </SettingsForm>
  );
}

function GreetingPart({ fields, errors }: PartProps): JSX.Element {
  return (
    <fieldset>
      <legend>Answer to /start</legend>
      <TextArea
        label="Welcome"
        {...typed("welcome", fields, errors)}
        rows={5}
        hint="{name} stands for the person's first name. Empty: the built-in text, in the person's language."
      />
      <LanguageField
        otherwise="the person's"
        value={fields.locale}
        hint="Of buttons, prices and whatever the bot says besides the welcome."
        error={errors.locale}
      />
    </fieldset>
  );
}

function TokenPart({ fields, errors, bot }: PartProps & { readonly bot: StoredBot | null }): JSX.Element {
  return (
    <fieldset>
      <legend>Tokens of @BotFather</legend>
      <StoredSecretField
        label="Bot token"
        name="token"
        isSet={bot?.has_token ?? false}
        hint="Verified at Telegram, stored encrypted and never shown again; the webhook is set with it. Without one the bot lives elsewhere, and its updates are not ours."
        error={errors.token}
        removal={{ label: "Take the stored token away", ...ticked("removes_token", fields, errors) }}
      />
      <StoredSecretField
        label="Payment provider's token"
        name="payment_token"
        isSet={bot?.has_payment_token ?? false}
        hint="For offers in money that are paid inside Telegram. Stars need none."
        error={errors.payment_token}
        removal={{
          label: "Take the stored payment token away",
          ...ticked("removes_payment_token", fields, errors),
        }}
      />
    </fieldset>
  );
}
