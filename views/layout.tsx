/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";
import type { Locale } from "../src/db/vocabulary.ts";
import { safeStyle } from "./style.ts";

interface LayoutProps {
  readonly locale: Locale;
  readonly title: string;
  /** Names the page for scripts, tests and support. */
  readonly id: string;
  /** Allows the style (and the head's scripts) under the page's security policy. */
  readonly nonce: string;
  readonly head?: Children;
  readonly children: Children;
}

/** A visitor's page: one centred card, whole in one response. */
export function layout({ locale, title, id, nonce, head, children }: LayoutProps): string {
  return `<!doctype html>${(
    <html lang={locale}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title safe>{title}</title>
        <style nonce={nonce}>{safeStyle}</style>
        {head}
      </head>
      <body id={id}>
        <main>{children}</main>
      </body>
    </html>
  )}`;
}
