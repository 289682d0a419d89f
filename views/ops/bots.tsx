/** @jsxImportSource @kitajs/html */
/// <reference types="@kitajs/html/htmx.d.ts" />
import type { BotLine, PeopleCount, WebhookFacts } from "./bot-data.ts";
import type { Piece } from "./list-data.ts";
import { countedText, countText } from "./numbers.ts";
import { Badge, Card, CursorPager, Name, PageHead } from "./parts.tsx";
import { type Column, DataTable, figureColumn } from "./table.tsx";

const LIST = "/ops/bots";

/** Every bot, in the order they were made. */
export function BotsPage(props: Piece<BotLine>): JSX.Element {
  const { lines } = props;
  return (
    <>
      <PageHead title="Bots" lead="Where visitors of the ads go, and what is sold there.">
        <a class="button primary" href={`${LIST}/new`}>
          New bot
        </a>
      </PageHead>
      <Card title="All bots" lead="Once a minute Telegram is asked whether it still takes a bot's token.">
        <DataTable
          caption="Bots in the order they were made"
          hideCaption
          columns={COLUMNS}
          rows={lines}
          empty="No bot yet. Make one here, or name it in a pool."
          layout="stacked"
        />
        <CursorPager {...props} list={LIST} shown={countedText(lines.length, "bot")} />
      </Card>
    </>
  );
}

const COLUMNS: readonly Column<BotLine>[] = [
  {
    head: "Bot",
    cell: ({ id, username }) => <Name text={`@${username}`} href={`${LIST}/${id}`} />,
  },
  { head: "Status", cell: (line) => <BotBadge bot={line} /> },
  { head: "Webhook", cell: (line) => <WebhookCell bot={line} /> },
  {
    head: "Pools",
    cell: ({ pools }) =>
      pools.length === 0 ? <span class="soft">none</span> : <Name text={pools.join(", ")} />,
  },
  figureColumn("People", ({ people }) => peopleText(people)),
];

/** What decides whether visitors are sent to the bot. */
export function BotBadge({
  bot,
}: {
  readonly bot: { readonly enabled: boolean; readonly healthy: boolean };
}): JSX.Element {
  if (!bot.enabled) return <Badge tone="idle" text="off" />;
  return bot.healthy ? <Badge tone="good" text="on" /> : <Badge tone="bad" text="unhealthy" />;
}

/** Whether the bot's updates come here: Telegram is asked once the page is there, for it may be slow. */
export function WebhookCell({
  bot,
}: {
  readonly bot: { readonly id: number; readonly has_token: boolean };
}): JSX.Element {
  if (!bot.has_token) return <span class="soft">not ours</span>;
  return (
    <span hx-get={`${LIST}/${bot.id}/webhook`} hx-trigger="load" hx-swap="innerHTML">
      <a href={`${LIST}/${bot.id}#webhook`}>ask Telegram</a>
    </span>
  );
}

/** What comes into that cell. */
export function WebhookBadge({ webhook }: { readonly webhook: WebhookFacts }): JSX.Element {
  return <Badge tone={webhook.tone} text={webhook.short} />;
}

/** e.g. `1,234`, or `1,234+` where there are more than were counted. */
export function peopleText({ total, isMore }: PeopleCount): string {
  return isMore ? `${countText(total)}+` : countText(total);
}
