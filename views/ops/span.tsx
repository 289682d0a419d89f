/** @jsxImportSource @kitajs/html */
/** The stretch of time that a page tells of, and how to ask for another. */
export interface SpanChoice {
  readonly name: string;
  /** The page's address again. */
  readonly query: string;
  readonly isLive: boolean;
  readonly unit: "minute" | "hour";
  readonly fault: string | null;
  readonly choices: readonly string[];
  /** For `<input type="datetime-local">`, as the clock in the operator's zone shows them. */
  readonly from: string;
  readonly to: string;
}

/** Tabs for the usual spans, and a form for two times of one's own. */
export function SpanChooser({ span }: { readonly span: SpanChoice }): JSX.Element {
  const shown = `${span.from.replace("T", " ")} to ${span.to.replace("T", " ")}`;
  const custom: string = span.name === "custom" ? shown : "Custom…";
  return (
    <>
      <nav class="tabs" aria-label="Span">
        {span.choices.map((name) => (
          <a
            href={`/ops?span=${encodeURIComponent(name)}`}
            aria-current={name === span.name ? "true" : undefined}
            safe
          >
            {name}
          </a>
        ))}
      </nav>
      <details class="menu span-menu">
        <summary class="button" safe>
          {custom}
        </summary>
        <form method="get" action="/ops">
          <input type="hidden" name="span" value="custom" />
          <div class="field">
            <label for="span-from">From</label>
            <input id="span-from" type="datetime-local" name="from" value={span.from} required />
          </div>
          <div class="field">
            <label for="span-to">To</label>
            <input id="span-to" type="datetime-local" name="to" value={span.to} required />
          </div>
          <button type="submit" class="primary">
            Show
          </button>
        </form>
      </details>
    </>
  );
}
