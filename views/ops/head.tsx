/** @jsxImportSource @kitajs/html */
import type { Children } from "@kitajs/html";

interface HeadProps {
  readonly nonce: string;
  /** The style sheet's address. */
  readonly css: string;
  readonly title: string;
  readonly children?: Children;
}

/** The head of every page of the console; `children` are what a page loads besides. */
export function Head({ nonce, css, title, children }: HeadProps): JSX.Element {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="robots" content="noindex" />
      <title safe>{`${title} · Ponte`}</title>
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href={css} nonce={nonce} />
      {children}
    </head>
  );
}
