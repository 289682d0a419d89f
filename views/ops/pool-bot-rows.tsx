/** @jsxImportSource @kitajs/html */
import type { FieldErrors } from "./form-data.ts";
import type { PoolBotFields } from "./pool-data.ts";

/** Rows that stand ready for further bots: without scripts none can be added. */
const SPARE_ROWS = 2;
const SPARE: PoolBotFields = { username: "", weight: "1", enabled: true };

/** The bots of a pool, one a row; a row without a name is none, so emptying a name takes the bot out. */
export function PoolBotRows(props: {
  readonly bots: readonly PoolBotFields[];
  readonly errors: FieldErrors;
  readonly botNames: readonly string[];
}): JSX.Element {
  const { bots, errors, botNames } = props;
  const rows = [...bots, ...Array.from({ length: SPARE_ROWS }, () => SPARE)];
  return (
    <div class="field">
      <div class="bot-rows">
        <div class="bot-row soft" aria-hidden="true">
          <span>Username</span>
          <span>Weight</span>
          <span>On</span>
        </div>
        {rows.map((bot, row) => (
          <PoolBotRow
            bot={bot}
            row={row}
            error={
              errors[`bots.${row}.username`] ?? errors[`bots.${row}.weight`] ?? errors[`bots.${row}.enabled`]
            }
          />
        ))}
      </div>
      <datalist id="bot-names">
        {botNames.map((name) => (
          <option value={name} />
        ))}
      </datalist>
      {errors.bots ? (
        <p class="error" safe>
          {errors.bots}
        </p>
      ) : null}
      <p class="hint">
        An empty name takes the bot out. Saving brings new empty rows. A bot that is not known yet is made,
        without a token.
      </p>
    </div>
  );
}

function PoolBotRow(props: {
  readonly bot: PoolBotFields;
  readonly row: number;
  readonly error: string | undefined;
}): JSX.Element {
  const { bot, row, error } = props;
  const describedBy = error ? `f-bot-${row}-error` : undefined;
  const invalid = error ? "true" : undefined;
  return (
    <div class={error ? "bot-row wrong" : "bot-row"}>
      <input
        name="bot_username"
        value={bot.username}
        list="bot-names"
        placeholder={bot.username === "" ? "shop_bot" : undefined}
        aria-label={`Bot ${row + 1}: username`}
        aria-invalid={invalid}
        aria-describedby={describedBy}
        autocomplete="off"
        spellcheck="false"
      />
      <input
        name="bot_weight"
        value={bot.weight}
        inputmode="numeric"
        aria-label={`Bot ${row + 1}: weight, 1 to 1000`}
        aria-invalid={invalid}
        aria-describedby={describedBy}
        autocomplete="off"
      />
      <input
        type="checkbox"
        name="bot_enabled"
        value={String(row)}
        checked={bot.enabled}
        aria-label={`Bot ${row + 1}: gets visitors`}
      />
      {error ? (
        <p class="error" id={`f-bot-${row}-error`} safe>
          {error}
        </p>
      ) : null}
    </div>
  );
}
