/** @jsxImportSource @kitajs/html */
import type { Locale } from "../src/db/vocabulary.ts";
import { layout } from "./layout.tsx";
import { TEXTS } from "./texts.ts";

interface MessagePage {
  readonly locale: Locale;
  readonly nonce: string;
}

interface Message extends MessagePage {
  readonly id: string;
  readonly sign: string;
  readonly title: string;
  readonly text: string;
  /** Which pool it is about, where that may be said. */
  readonly about?: string;
}

function message({ locale, nonce, id, sign, title, text, about }: Message): string {
  return layout({
    locale,
    nonce,
    id,
    title,
    children: (
      <>
        <div class="mark quiet" aria-hidden="true" safe>
          {sign}
        </div>
        <h1 safe>{title}</h1>
        {about ? (
          <p class="handle" safe>
            {about}
          </p>
        ) : null}
        <p safe>{text}</p>
      </>
    ),
  });
}

/** The gate's one refusal, the same for every reason. */
export function gateRefused(page: MessagePage & { poolName: string; poolSlug: string }): string {
  return message({
    ...page,
    ...TEXTS[page.locale].refused,
    id: "cloaker_block",
    sign: "!",
    about: `${page.poolName} · ${page.poolSlug}`,
  });
}

/** No pool has this link, or nothing stands at the address. */
export function notFound(page: MessagePage): string {
  return message({ ...page, ...TEXTS[page.locale].notFound, id: "not_found", sign: "?" });
}

/** This address asked too often; the visitor may try again later. */
export function tooManyRequests(page: MessagePage): string {
  return message({ ...page, ...TEXTS[page.locale].tooMany, id: "too_many_requests", sign: "…" });
}

/** Nothing can lead the visitor to the bot at present, though the link is right. */
export function unavailable(page: MessagePage): string {
  return message({ ...page, ...TEXTS[page.locale].unavailable, id: "unavailable", sign: "…" });
}
