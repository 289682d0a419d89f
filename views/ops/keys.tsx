/** @jsxImportSource @kitajs/html */
import type { KeyScope } from "../../src/db/vocabulary.ts";
import { Copied } from "./copied.tsx";
import { SelectField, TextField, typed } from "./fields.tsx";
import { ConfirmForm, FormFault, PostForm } from "./form.tsx";
import type { FieldErrors } from "./form-data.ts";
import type { Piece } from "./list-data.ts";
import { countedText } from "./numbers.ts";
import { Badge, Banner, Card, CursorPager, PageHead } from "./parts.tsx";
import { type Column, DataTable, nameColumn } from "./table.tsx";
import { TimeOf } from "./time.tsx";

const LIST = "/ops/keys";

/** A key for scripts; the key itself is nowhere. */
interface KeyLine {
  readonly id: number;
  readonly name: string;
  /** Its last four characters. */
  readonly hint: string;
  readonly scope: KeyScope;
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

/** The form of a new key as it stands in the page. */
export interface KeyFields {
  readonly name: string;
  readonly scope: string;
}

interface NewKeyProps {
  /** The form that stands in the page makes one key, however often it is sent. */
  readonly formId: string;
  readonly fields: KeyFields;
  readonly errors: FieldErrors;
  readonly csrfToken: string;
}

interface KeysPageProps extends Piece<KeyLine>, NewKeyProps {
  /** What was just made, this once. */
  readonly made: { readonly name: string; readonly key: string } | null;
  readonly zone: string;
}

/** The keys of the JSON API, and making one. */
export function KeysPage(props: KeysPageProps): JSX.Element {
  const { lines, made, csrfToken, zone } = props;
  return (
    <>
      <PageHead title="API keys" lead="For scripts that read or change what this console shows.">
        <a class="button" href="/openapi">
          How to use them
        </a>
      </PageHead>
      {made === null ? null : <MadeKey made={made} />}
      <Card title="New key" id="new">
        <NewKeyForm {...props} />
      </Card>
      <Card title="All keys">
        <DataTable
          caption="Keys in the order they were made"
          hideCaption
          columns={columns(csrfToken, zone)}
          rows={lines}
          empty="No key yet. The one of the environment, API_KEY, is not listed."
          layout="stacked"
        />
        <CursorPager {...props} list={LIST} shown={countedText(lines.length, "key")} />
      </Card>
    </>
  );
}

function MadeKey({ made }: { readonly made: NonNullable<KeysPageProps["made"]> }): JSX.Element {
  return (
    <Card title="The new key" id="made">
      <Banner tone="good" title="Keep it now: it is not shown again" announced>
        <span safe>{`Only its digest is stored. The audit log will call it ${made.name}.`}</span>
      </Banner>
      <Copied label="API key" id="new-key" text={made.key} />
    </Card>
  );
}

function NewKeyForm({ formId, fields, errors, csrfToken }: NewKeyProps): JSX.Element {
  return (
    <PostForm action={LIST} csrfToken={csrfToken}>
      <FormFault errors={errors} />
      <input type="hidden" name="form_id" value={formId} />
      <TextField
        label="Name"
        {...typed("name", fields, errors)}
        required
        placeholder="reporting"
        hint="Who uses it, as the audit log will say."
      />
      <SelectField
        label="It may"
        {...typed("scope", fields, errors)}
        options={[
          { value: "read", label: "read" },
          { value: "write", label: "read and change" },
        ]}
      />
      <div>
        <button type="submit" class="primary">
          Make the key
        </button>
      </div>
    </PostForm>
  );
}

function columns(csrfToken: string, zone: string): Column<KeyLine>[] {
  return [
    nameColumn("Name", ({ name }) => name),
    {
      head: "May",
      cell: ({ scope }) => <Badge tone={scope === "write" ? "warn" : "info"} text={scope} />,
    },
    {
      head: "Key",
      cell: ({ hint }) => (
        <span class="mono whole" safe>
          {`…${hint}`}
        </span>
      ),
    },
    { head: "Made", cell: ({ created_at }) => <TimeOf at={created_at} zone={zone} /> },
    { head: "Last used", cell: ({ last_used_at }) => <TimeOf at={last_used_at} zone={zone} /> },
    { head: "Revoked", cell: (line) => <Revoking line={line} csrfToken={csrfToken} zone={zone} /> },
  ];
}

function Revoking(props: {
  readonly line: KeyLine;
  readonly csrfToken: string;
  readonly zone: string;
}): JSX.Element {
  const { line, csrfToken, zone } = props;
  if (line.revoked_at !== null) return <TimeOf at={line.revoked_at} zone={zone} />;
  return (
    <ConfirmForm
      action={`${LIST}/${line.id}/revoke`}
      csrfToken={csrfToken}
      label="Revoke…"
      question={`Whatever uses ${line.name} is refused from then on. There is no undo.`}
      confirm="Revoke the key"
      danger
    />
  );
}
