import { formatMoney } from "../money/format.ts";
import {
  type Timeline,
  timelineByEventId,
  timelineByPayment,
  timelineByToken,
  timelinesByTelegramUser,
} from "../tracking/timeline.ts";
import type { Step } from "../tracking/timeline-steps.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import { answer, duration, record, table } from "./print.ts";
import { withDatabase } from "./with-database.ts";

export const sessionShow = defineCommand({
  name: "session show",
  summary: "Show a visitor from click to delivery",
  takes: ["[token]"],
  options: {
    event: { type: "string", value: "id", help: "the visitor whom this event id reports" },
    "telegram-user": { type: "string", value: "id", help: "all visits of this Telegram user" },
  },
  examples: ["session show 0193f2a5c1d27e3f8a4b5c6d7e8f9012", "session show --telegram-user 123456789"],
  async run(given, [token], context) {
    const keys = [token, given.event, given["telegram-user"]].filter((key) => key !== undefined);
    if (keys.length !== 1)
      throw new WrongUsage("give a tracking token, --event or --telegram-user, and only one");
    await withDatabase(context, async ({ db }) => {
      if (given["telegram-user"] !== undefined) {
        const timelines = await timelinesByTelegramUser(db, given["telegram-user"]);
        if (timelines.length === 0)
          throw new Refused(`Nothing is known of Telegram user ${given["telegram-user"]}.`);
        return answer(context, timelines, () => timelines.map(timelineText).join("\n\n"));
      }
      const timeline =
        given.event === undefined
          ? await timelineByToken(db, token ?? "")
          : await timelineByEventId(db, given.event);
      if (timeline === null) {
        throw new Refused(
          `Nothing is known of ${keys[0]}.\nTokens stand in the event ids, after evt_: bun run ponte outbox list --event-name PageView`,
        );
      }
      answer(context, timeline, () => timelineText(timeline));
    });
  },
});

export const paymentShow = defineCommand({
  name: "payment show",
  summary: "Show a payment, with its visitor from click to delivery",
  takes: ["<id>"],
  options: {},
  async run(_given, [id = ""], context) {
    await withDatabase(context, async ({ db }) => {
      const timeline = await timelineByPayment(db, id);
      const payment = timeline?.payments.find((known) => known.id === id);
      if (timeline === null || payment === undefined) {
        throw new Refused(
          `There is no payment ${id}.\nThose reported stand in the event ids, after purchase_: bun run ponte outbox list --event-name Purchase`,
        );
      }
      answer(context, { payment, timeline }, () =>
        [
          record([
            ["Payment", payment.id],
            ["Status", payment.status],
            ["Amount", formatMoney(payment.amount_minor, payment.currency, "en")],
            ["Provider", `${payment.provider}, reference ${payment.provider_ref}`],
            ["Made", payment.created_at],
            ["Paid", payment.paid_at],
            ["Purchase in the outbox", payment.meta_purchase_sent_at],
            ["Refunded", payment.refunded_at ?? undefined],
            ...payment.notes.map((note): [string, string] => ["Note", note]),
          ]),
          timelineText(timeline),
        ].join("\n\n"),
      );
    });
  },
});

function timelineText({ tracking_token, session, people, steps }: Timeline): string {
  const person = people[0];
  return [
    record([
      ["Visitor", tracking_token ?? "came without an ad"],
      ["Pool", session ? (session.pool?.slug ?? "removed") : undefined],
      ["Bot", session?.bot ? `@${session.bot.username}` : undefined],
      ["Campaign", session?.utm_campaign ?? undefined],
      ["fbclid", session?.fbclid ?? undefined],
      ["fbc", session?.fbc ? `${session.fbc} (${session.fbc_origin})` : undefined],
      ["fbp", session?.fbp ?? undefined],
      ["Address", session?.client_ip ?? undefined],
      ["User agent", session?.user_agent ?? undefined],
      ["Telegram user", person ? `${person.telegram_user_id} ${person.first_name ?? ""}`.trim() : undefined],
    ]),
    "",
    table(steps, [
      { head: "AT", cell: ({ at }) => at },
      { head: "AFTER", cell: ({ after_ms }) => (after_ms === null ? null : duration(after_ms)) },
      { head: "WHAT", cell: whatHappened },
      { head: "STATUS", cell: ({ status }) => status },
      { head: "DETAIL", cell: ({ detail }) => detail },
      { head: "EVENT ID", cell: ({ event_id }) => event_id },
    ]),
  ].join("\n");
}

function whatHappened({ kind, event_name }: Step): string {
  return event_name ?? kind.replaceAll("_", " ");
}
