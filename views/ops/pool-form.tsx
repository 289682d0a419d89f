/** @jsxImportSource @kitajs/html */
import { STRATEGIES } from "../../src/db/vocabulary.ts";
import { CheckField, SelectField, StoredSecretField, TextField, ticked, typed } from "./fields.tsx";
import type { FieldErrors } from "./form-data.ts";
import { LanguageField } from "./language-field.tsx";
import { PoolBotRows } from "./pool-bot-rows.tsx";
import type { PoolFields } from "./pool-data.ts";
import { SettingsForm, type SettingsFormProps } from "./settings-form.tsx";

interface PartProps {
  readonly fields: PoolFields;
  readonly errors: FieldErrors;
}

interface PoolFormProps extends PartProps, SettingsFormProps {
  readonly botNames: readonly string[];
  readonly pool: { readonly has_access_token: boolean; readonly updated_at: string } | null;
}

/** Everything about a pool that may be set. `pool` is the one that is changed, null for a new one. */
export function PoolForm(props: PoolFormProps): JSX.Element {
  const { fields, errors, pool, botNames } = props;
  return (
    <SettingsForm {...props} withSecrets seen={pool?.updated_at}>
      <fieldset>
        <legend>Pool</legend>
        {pool === null ? (
          <TextField
            label="Slug"
            {...typed("slug", fields, errors)}
            required
            hint="Stands in the link, /go/<slug>, and never changes. Lowercase letters, digits, hyphens."
          />
        ) : null}
        <TextField
          label="Name"
          {...typed("name", fields, errors)}
          hint="Visitors read it too. A new pool without a name gets its slug."
        />
        <CheckField
          label="The link is on"
          {...ticked("enabled", fields, errors)}
          hint="Off: it answers 404."
        />
      </fieldset>
      <fieldset>
        <legend>Bots</legend>
        <PoolBotRows bots={fields.bots} errors={errors} botNames={botNames} />
        <SelectField
          label="Who gets the next visitor"
          {...typed("strategy", fields, errors)}
          options={STRATEGIES.map((value) => ({ value, label: STRATEGY_LABELS[value] }))}
        />
      </fieldset>
      <BridgePart fields={fields} errors={errors} />
      <MetaPart fields={fields} errors={errors} hasToken={pool?.has_access_token ?? false} />
      <GatePart fields={fields} errors={errors} />
    </SettingsForm>
  );
}

const STRATEGY_LABELS: Readonly<Record<(typeof STRATEGIES)[number], string>> = {
  weighted: "by weight",
  round_robin: "in turn",
  least_used: "the bot with the fewest visits",
};

function MetaPart({ fields, errors, hasToken }: PartProps & { readonly hasToken: boolean }): JSX.Element {
  return (
    <fieldset>
      <legend>Meta</legend>
      <CheckField
        label="Report to Meta"
        {...ticked("meta_tracking_enabled", fields, errors)}
        hint="Off: visitors go straight to the bot, and Meta hears nothing (meta_tracking_enabled)."
      />
      <TextField label="Pixel id" {...typed("meta_pixel_id", fields, errors)} />
      <StoredSecretField
        label="Conversions API access token"
        name="meta_access_token"
        isSet={hasToken}
        hint="Stored encrypted and never shown again."
        error={errors.meta_access_token}
        removal={{ label: "Take the stored token away", ...ticked("removes_access_token", fields, errors) }}
      />
      <TextField
        label="Test event code"
        {...typed("meta_test_event_code", fields, errors)}
        placeholder="TEST12345"
        hint="While it is set, every event shows under Test events in Events Manager as well. Meta still counts it."
      />
      <CheckField label="Report Lead at /start" {...ticked("send_lead", fields, errors)} />
      <CheckField label="Report InitiateCheckout" {...ticked("send_initiate_checkout", fields, errors)} />
      <TextField label="UTMify pixel id" {...typed("utmify_pixel_id", fields, errors)} />
    </fieldset>
  );
}

function GatePart({ fields, errors }: PartProps): JSX.Element {
  return (
    <fieldset>
      <legend>Gate</legend>
      <CheckField
        label="Only links with the secret parameter are let in"
        {...ticked("meta_cloaker_enabled", fields, errors)}
        hint="Others get a 403 page and are not reported to Meta; how many there were stands on this page and on the overview."
      />
      <TextField label="Parameter" {...typed("meta_cloaker_param_name", fields, errors)} />
      <TextField
        label="Its value"
        {...typed("meta_cloaker_param_value", fields, errors)}
        hint="Whoever knows it is let in: a new value shuts the old links out."
      />
      <CheckField
        label="Refuse clients that say they are automated"
        {...ticked("block_automated", fields, errors)}
      />
    </fieldset>
  );
}

function BridgePart({ fields, errors }: PartProps): JSX.Element {
  return (
    <fieldset>
      <legend>Page between ad and bot</legend>
      <LanguageField otherwise="the visitor's" value={fields.locale} error={errors.locale} />
      <TextField
        label="Goes on to the bot by itself within (ms)"
        {...typed("auto_continue_ms", fields, errors)}
        hint="500 to 60000; sooner, once the pixels have reported. Empty waits for the tap."
      />
      <TextField
        label="Further link parameters to keep"
        {...typed("capture_params", fields, errors)}
        hint="Names with spaces between them. utm_* and fbclid are always kept."
      />
    </fieldset>
  );
}
