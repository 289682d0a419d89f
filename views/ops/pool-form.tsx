/** @jsxImportSource @kitajs/html */
import { STRATEGIES } from "../../src/db/vocabulary.ts";
import { CheckField, SecretField, SelectField, TextField } from "./form.tsx";
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
    <SettingsForm {...props} withSecrets stored={pool}>
      <fieldset>
        <legend>Pool</legend>
        {pool === null ? (
          <TextField
            label="Slug"
            name="slug"
            value={fields.slug}
            required
            hint="Stands in the link, /go/<slug>, and never changes. Lowercase letters, digits, hyphens."
            error={errors.slug}
          />
        ) : null}
        <TextField
          label="Name"
          name="name"
          value={fields.name}
          hint="Visitors read it too. A new pool without a name gets its slug."
          error={errors.name}
        />
        <CheckField
          label="The link is on"
          name="enabled"
          checked={fields.enabled}
          hint="Off: it answers 404."
          error={errors.enabled}
        />
      </fieldset>
      <fieldset>
        <legend>Bots</legend>
        <PoolBotRows bots={fields.bots} errors={errors} botNames={botNames} />
        <SelectField
          label="Who gets the next visitor"
          name="strategy"
          value={fields.strategy}
          options={STRATEGIES.map((value) => ({ value, label: STRATEGY_LABELS[value] }))}
          error={errors.strategy}
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
        name="meta_tracking_enabled"
        checked={fields.meta_tracking_enabled}
        hint="Off: visitors go straight to the bot, and Meta hears nothing (meta_tracking_enabled)."
        error={errors.meta_tracking_enabled}
      />
      <TextField
        label="Pixel id"
        name="meta_pixel_id"
        value={fields.meta_pixel_id}
        error={errors.meta_pixel_id}
      />
      <SecretField
        label="Conversions API access token"
        name="meta_access_token"
        isSet={hasToken}
        hint="Stored encrypted and never shown again."
        error={errors.meta_access_token}
      />
      {hasToken ? (
        <CheckField
          label="Take the stored token away"
          name="removes_access_token"
          checked={fields.removes_access_token}
        />
      ) : null}
      <TextField
        label="Test event code"
        name="meta_test_event_code"
        value={fields.meta_test_event_code}
        placeholder="TEST12345"
        hint="While it is set, every event shows under Test events in Events Manager as well. Meta still counts it."
        error={errors.meta_test_event_code}
      />
      <CheckField
        label="Report Lead at /start"
        name="send_lead"
        checked={fields.send_lead}
        error={errors.send_lead}
      />
      <CheckField
        label="Report InitiateCheckout"
        name="send_initiate_checkout"
        checked={fields.send_initiate_checkout}
        error={errors.send_initiate_checkout}
      />
      <TextField
        label="UTMify pixel id"
        name="utmify_pixel_id"
        value={fields.utmify_pixel_id}
        error={errors.utmify_pixel_id}
      />
    </fieldset>
  );
}

function GatePart({ fields, errors }: PartProps): JSX.Element {
  return (
    <fieldset>
      <legend>Gate</legend>
      <CheckField
        label="Only links with the secret parameter are let in"
        name="meta_cloaker_enabled"
        checked={fields.meta_cloaker_enabled}
        hint="Others get a 403 page and are not reported to Meta; how many there were stands on this page and on the overview."
        error={errors.meta_cloaker_enabled}
      />
      <TextField
        label="Parameter"
        name="meta_cloaker_param_name"
        value={fields.meta_cloaker_param_name}
        error={errors.meta_cloaker_param_name}
      />
      <TextField
        label="Its value"
        name="meta_cloaker_param_value"
        value={fields.meta_cloaker_param_value}
        hint="Whoever knows it is let in: a new value shuts the old links out."
        error={errors.meta_cloaker_param_value}
      />
      <CheckField
        label="Refuse clients that say they are automated"
        name="block_automated"
        checked={fields.block_automated}
        error={errors.block_automated}
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
        label="Goes on to the bot by itself after (ms)"
        name="auto_continue_ms"
        value={fields.auto_continue_ms}
        hint="500 to 60000; empty waits for the tap."
        error={errors.auto_continue_ms}
      />
      <TextField
        label="Further link parameters to keep"
        name="capture_params"
        value={fields.capture_params}
        hint="Names with spaces between them. utm_* and fbclid are always kept."
        error={errors.capture_params}
      />
    </fieldset>
  );
}
