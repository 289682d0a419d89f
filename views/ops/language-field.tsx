/** @jsxImportSource @kitajs/html */
import { LOCALES } from "../../src/db/vocabulary.ts";
import { SelectField } from "./fields.tsx";

/** Which language a pool or a bot speaks. `otherwise` says whose it is where none is chosen. */
export function LanguageField({
  otherwise,
  ...field
}: {
  readonly otherwise: string;
  readonly value: string;
  readonly hint?: string;
  readonly error: string | undefined;
}): JSX.Element {
  return (
    <SelectField
      label="Language"
      name="locale"
      {...field}
      options={[
        { value: "", label: otherwise },
        ...LOCALES.map((locale) => ({ value: locale, label: locale })),
      ]}
    />
  );
}
