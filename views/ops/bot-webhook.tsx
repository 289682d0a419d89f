/** @jsxImportSource @kitajs/html */
import type { WebhookFacts } from "./bot-data.ts";
import { PostForm } from "./form.tsx";
import { Banner, Card } from "./parts.tsx";

/** Whether Telegram sends the bot's updates here, and telling it to. */
export function BotWebhook(props: {
  /** The bot's own address. */
  readonly path: string;
  readonly hasToken: boolean;
  readonly csrfToken: string;
  /** What Telegram was just asked. */
  readonly webhook: WebhookFacts | null;
}): JSX.Element {
  const { path, hasToken, csrfToken, webhook } = props;
  return (
    <Card title="Webhook" lead="How the bot's updates come here: starts, taps and payments." id="webhook">
      {webhook === null ? null : (
        <Banner tone={webhook.tone} title={webhook.title} announced>
          <span safe>{webhook.text}</span>
        </Banner>
      )}
      {hasToken ? (
        <div class="actions">
          <PostForm action={`${path}/check-webhook#webhook`} csrfToken={csrfToken}>
            <button type="submit">Ask Telegram</button>
          </PostForm>
          <PostForm action={`${path}/connect`} csrfToken={csrfToken}>
            <button type="submit">Set the webhook again</button>
          </PostForm>
        </div>
      ) : (
        <p>
          The bot has no token, so it lives elsewhere: what happens in it is told by whoever runs it, through
          the JSON API. Save its token above to answer its people from here.
        </p>
      )}
    </Card>
  );
}
