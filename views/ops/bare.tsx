/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";
import { Icon } from "./icons.tsx";

export interface BareProps {
  readonly nonce: string;
  /** The style sheet's address. */
  readonly css: string;
  readonly title: string;
}

/** A page of the console without its frame: one card, for whoever is not logged in or cannot go on. */
export function bare({ nonce, css, title, children }: BareProps & { readonly children: Children }): string {
  return `<!doctype html>${(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title safe>{`${title} · Ponte`}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href={css} nonce={nonce} />
      </head>
      <body class="bare">
        <main>
          <p class="brand">
            <Icon name="bridge" size={22} />
            <span>Ponte</span>
          </p>
          {children}
        </main>
      </body>
    </html>
  )}`;
}

/** Something is wrong, and what to do. */
export function messagePage(props: BareProps & { readonly text: string }): string {
  return bare({
    ...props,
    children: (
      <>
        <h1 safe>{props.title}</h1>
        <p safe>{props.text}</p>
        <p>
          <a href="/ops">Back to the console</a>
        </p>
      </>
    ),
  });
}
