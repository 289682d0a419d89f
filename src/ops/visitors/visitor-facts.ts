import type { VisitorFacts } from "../../../views/ops/visitor-data.ts";
import { purchaseId } from "../../meta/event-ids.ts";
import { formatMoney } from "../../money/format.ts";
import type { Timeline } from "../../tracking/timeline.ts";
import type { PersonView, SessionView } from "../../tracking/timeline-view.ts";

type Known = readonly (readonly [name: string, value: string | null | undefined])[];

/** A timeline as the console's pages show it. */
export function visitorFacts({
  tracking_token,
  session,
  people,
  payments,
  outbox,
  steps,
}: Timeline): VisitorFacts {
  const known: Known = [...(session === null ? [] : sessionFacts(session)), ...people.flatMap(personFacts)];
  return {
    token: tracking_token,
    steps,
    payments: payments.map((payment) => ({
      ...payment,
      amount: formatMoney(payment.amount_minor, payment.currency, "en"),
      purchase: outbox.find(({ event_id }) => event_id === purchaseId(payment.id))?.status ?? null,
    })),
    known: known.flatMap(([name, value]) => (value ? [[name, value] as const] : [])),
  };
}

function sessionFacts(session: SessionView): Known {
  return [
    ["Pool", session.pool?.slug ?? "removed"],
    ["Bot", session.bot && `@${session.bot.username}`],
    ["Source", session.utm_source],
    ["Campaign", session.utm_campaign],
    ["Medium", session.utm_medium],
    ["Content", session.utm_content],
    ["Term", session.utm_term],
    ["fbclid", session.fbclid],
    ["fbc", session.fbc && `${session.fbc} (${session.fbc_origin})`],
    ["fbp", session.fbp],
    ["Address", session.client_ip],
    ["User agent", session.user_agent],
    ["Referrer", session.referrer],
    ["Consent", session.consent],
    ["Further parameters", session.params && JSON.stringify(session.params)],
  ];
}

function personFacts(person: PersonView): Known {
  return [
    ["Telegram user", `${person.telegram_user_id} ${person.first_name ?? ""}`.trim()],
    ["Username", person.username && `@${person.username}`],
    ["Blocked the bot", person.blocked_at],
  ];
}
