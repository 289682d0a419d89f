/** @jsxImportSource @kitajs/html */
import { EmptyState, PageHead } from "./parts.tsx";

/** What is not there; `text` says what to do. */
export function NotFound({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      <PageHead title="Not found" />
      <EmptyState title="This is not here" text={text} />
    </>
  );
}
