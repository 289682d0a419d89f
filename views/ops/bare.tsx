/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";
import { Head } from "./head.tsx";
import { Icon } from "./icons.tsx";

/** What every page without the frame needs. */
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
      <Head nonce={nonce} css={css} title={title} />
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
