/** First-party addresses, with a content hash. */
interface OpsAssets {
  readonly css: string;
  readonly htmxJs: string;
  readonly consoleJs: string;
  /** Only pages with charts load it. */
  readonly chartsJs: string;
}

/** What a change did, and whether it became as it was meant. */
export interface Note {
  readonly tone: "good" | "warn";
  readonly text: string;
}

/** What the frame shows of the request and the installation. */
export interface FrameFacts {
  readonly assets: OpsAssets;
  readonly csrfToken: string;
  /** This page's own path and query. */
  readonly path: string;
  /** The time zone in which this operator reads times, and the installation's. */
  readonly zone: string;
  readonly homeZone: string;
  /** What the change that led here did. */
  readonly note: Note | null;
  /** Pools whose events show in Meta's test view as well, with their test code. */
  readonly testing: readonly { readonly id: number; readonly slug: string; readonly code: string }[];
}
