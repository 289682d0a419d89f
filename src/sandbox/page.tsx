/** @jsxImportSource @kitajs/html */

import type { EventCount, ReceivedEvent } from "./event-log.ts";
import type { ReceivedRequest } from "./request-log.ts";
import type { TelegramCall } from "./telegram-calls.ts";

/** What the sandbox's page shows; lists are oldest first. */
interface PageData {
  readonly count: EventCount;
  readonly events: readonly ReceivedEvent[];
  readonly requests: readonly ReceivedRequest[];
  readonly calls: readonly TelegramCall[];
}

const STYLE = `
  :root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif }
  body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
  td { overflow-wrap: anywhere }
  pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 18rem; overflow: auto }
`;

/** The sandbox's page for people: newest events, calls and requests first. */
export function SandboxPage({ count, events, requests, calls }: PageData): JSX.Element {
  return (
    <>
      {"<!doctype html>"}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>Sandbox</title>
          <style>{STYLE}</style>
        </head>
        <body>
          <h1>Sandbox</h1>
          <p>
            It stands in for Meta's Conversions API, Telegram's Bot API and the payment providers; nothing
            leaves this machine. <strong>{count.first_deliveries}</strong> events received once,{" "}
            {count.duplicates} duplicates. Listed: the newest {count.kept} of {count.count} (at most{" "}
            {count.capacity}).
          </p>
          <p>
            JSON: <a href="/events">events</a>, <a href="/events/count">count</a>,{" "}
            <a href="/requests">requests</a>, <a href="/faults">faults</a>,{" "}
            <a href="/telegram/calls">Telegram calls</a>, <a href="/telegram/faults">Telegram faults</a>,{" "}
            <a href="/providers/charges">charges</a>, <a href="/providers/faults">providers' faults</a>
          </p>
          <Events events={events} />
          <TelegramCalls calls={calls} />
          <Requests requests={requests} />
        </body>
      </html>
    </>
  );
}

interface ListingProps {
  readonly title: string;
  readonly heads: readonly string[];
  /** One for each entry, oldest first as everywhere. */
  readonly rows: readonly JSX.Element[];
}

/** A table of what came in, newest first. */
function Listing({ title, heads, rows }: ListingProps): JSX.Element {
  return (
    <>
      <h2 safe>{title}</h2>
      <table>
        <tr>
          {heads.map((head) => (
            <th safe>{head}</th>
          ))}
        </tr>
        {rows.toReversed()}
      </table>
    </>
  );
}

function Json({ value }: { readonly value: unknown }): JSX.Element {
  return <pre safe>{JSON.stringify(value, null, 1)}</pre>;
}

function Events({ events }: { readonly events: readonly ReceivedEvent[] }): JSX.Element {
  const rows = events.map((item) => <EventRow item={item} />);
  return <Listing title="Events" heads={["Received", "Pixel", "Event", "Payload"]} rows={rows} />;
}

function EventRow({ item }: { readonly item: ReceivedEvent }): JSX.Element {
  const marks = [item.duplicate ? "duplicate" : "", item.test_event_code ?? ""].filter((mark) => mark !== "");
  return (
    <tr>
      <td safe>{item.received_at}</td>
      <td safe>{item.pixel_id}</td>
      <td safe>{[String(item.event.event_name), ...marks].join(", ")}</td>
      <td>
        <Json value={item.event} />
      </td>
    </tr>
  );
}

function TelegramCalls({ calls }: { readonly calls: readonly TelegramCall[] }): JSX.Element {
  const rows = calls.map((call) => (
    <tr>
      <td safe>{call.at}</td>
      <td safe>{call.username}</td>
      <td safe>{call.ok ? call.method : `${call.method} (${call.status ?? "reset"})`}</td>
      <td>
        <Json value={call.params} />
      </td>
    </tr>
  ));
  return <Listing title="Telegram" heads={["At", "Bot", "Method", "Parameters"]} rows={rows} />;
}

function Requests({ requests }: { readonly requests: readonly ReceivedRequest[] }): JSX.Element {
  const rows = requests.map((request) => (
    <tr>
      <td safe>{new Date(request.at).toISOString()}</td>
      <td safe>{`${request.method} ${request.path}`}</td>
      <td safe>{`${request.status ?? "reset"}${request.fault === null ? "" : ` (${request.fault})`}`}</td>
      <td>{request.events}</td>
      <td>{request.duration_ms} ms</td>
    </tr>
  ));
  return <Listing title="Requests" heads={["At", "Request", "Status", "Events", "Duration"]} rows={rows} />;
}
