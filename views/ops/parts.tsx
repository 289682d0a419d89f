/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";
import type { Piece } from "./list-data.ts";

/** What a colour says, always beside words that say it too. */
export type Tone = "good" | "warn" | "bad" | "idle" | "info";

/** The head of a page: its only `h1`. */
export function PageHead(props: {
  readonly title: string;
  readonly lead?: string;
  /** Links and buttons at its end. */
  readonly children?: Children;
}): JSX.Element {
  return (
    <div class="page-head">
      <div>
        <h1 dir="auto" safe>
          {props.title}
        </h1>
        {props.lead === undefined ? null : (
          <p class="lead" safe>
            {props.lead}
          </p>
        )}
      </div>
      <Actions>{props.children}</Actions>
    </div>
  );
}

/** A part of a page with a heading. `id` makes it a target for htmx. */
export function Card(props: {
  readonly title: string;
  readonly lead?: string;
  readonly id?: string;
  readonly actions?: Children;
  readonly children: Children;
}): JSX.Element {
  return (
    <section class="card" id={props.id}>
      <div class="card-head">
        <div>
          <h2 safe>{props.title}</h2>
          {props.lead === undefined ? null : (
            <p class="lead" safe>
              {props.lead}
            </p>
          )}
        </div>
        <Actions>{props.actions}</Actions>
      </div>
      {props.children}
    </section>
  );
}

function Actions({ children }: { readonly children?: Children }): JSX.Element {
  return <div class="actions">{children}</div>;
}

/** A word or two in a colour, for a state. */
export function Badge({ tone, text }: { readonly tone: Tone; readonly text: string }): JSX.Element {
  return (
    <span class={`badge ${tone}`} safe>
      {text}
    </span>
  );
}

/** What somebody called a thing, with a link to its page where it has one. */
export function Name({ text, href }: { readonly text: string; readonly href?: string | null }): JSX.Element {
  return href ? (
    <a class="name" href={href} safe>
      {text}
    </a>
  ) : (
    <span class="name" safe>
      {text}
    </span>
  );
}

/** A number that one look should take in. */
export function StatTile(props: {
  readonly label: string;
  readonly value: string;
  readonly hint?: string;
  readonly tone?: Tone;
  /** Where the number's rows are. */
  readonly href?: string;
}): JSX.Element {
  const inside = (
    <>
      <span class="stat-label" safe>
        {props.label}
      </span>
      <span class={props.value.length > 9 ? "stat-value long" : "stat-value"} safe>
        {props.value}
      </span>
      <span class="stat-hint" safe>
        {props.hint ?? ""}
      </span>
    </>
  );
  const look = `stat ${props.tone ?? "idle"}`;
  return props.href === undefined ? (
    <div class={look}>{inside}</div>
  ) : (
    <a class={look} href={props.href}>
      {inside}
    </a>
  );
}

/**
 * Something that must not be overlooked. `children` say what and what to do. With `announced`, screen readers say it at
 * once; not for what stands in a live part, or they would say it with every renewal.
 */
export function Banner(props: {
  readonly tone: Tone;
  readonly title?: string;
  readonly announced?: boolean;
  readonly children: Children;
}): JSX.Element {
  return (
    <div class={`banner ${props.tone}`} role={props.announced ? "status" : undefined}>
      {props.title === undefined ? null : <strong safe>{props.title}</strong>}
      <div>{props.children}</div>
    </div>
  );
}

/** Says that there is nothing, and what would bring something. */
export function EmptyState(props: {
  readonly title: string;
  readonly text: string;
  readonly children?: Children;
}): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title" safe>
        {props.title}
      </p>
      <p safe>{props.text}</p>
      {props.children ?? null}
    </div>
  );
}

/** Forward through a list, and back to its beginning. */
export function Pager(props: {
  /** The list from its beginning; null while one is there. */
  readonly first: string | null;
  readonly next: string | null;
  /** What is shown, e.g. `50 events`. */
  readonly shown: string;
}): JSX.Element {
  return (
    <nav class="pager" aria-label="Pages">
      <span class="soft" safe>
        {props.shown}
      </span>
      {props.first === null ? null : (
        <a class="button" href={props.first} rel="first">
          Back to the first
        </a>
      )}
      {props.next === null ? null : (
        <a class="button" href={props.next} rel="next">
          Next
        </a>
      )}
    </nav>
  );
}

/** The same for a list at an address of its own, which `?cursor=` goes on in. */
export function CursorPager(
  props: Omit<Piece<unknown>, "lines"> & { readonly list: string; readonly shown: string },
): JSX.Element {
  const { list, isFirst, next, shown } = props;
  return (
    <Pager
      first={isFirst ? null : list}
      next={next === null ? null : `${list}?cursor=${next}`}
      shown={shown}
    />
  );
}

/** Names and values, one pair a line. */
export function Facts(props: {
  readonly items: readonly { readonly name: string; readonly value: JSX.Element }[];
}): JSX.Element {
  return (
    <dl class="facts">
      {props.items.map(({ name, value: safeValue }) => (
        <div>
          <dt safe>{name}</dt>
          <dd>{safeValue}</dd>
        </div>
      ))}
    </dl>
  );
}
