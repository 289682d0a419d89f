/** A pool's form as it stands in the page: what was typed, right or wrong. The access token is never in it. */
export interface PoolFields {
  readonly slug: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly strategy: string;
  /** Empty follows the visitor's. */
  readonly locale: string;
  readonly auto_continue_ms: string;
  /** Names with spaces between them. */
  readonly capture_params: string;
  readonly meta_tracking_enabled: boolean;
  readonly meta_pixel_id: string;
  /** A new access token may be typed; this takes the stored one away. */
  readonly removes_access_token: boolean;
  readonly meta_test_event_code: string;
  readonly meta_cloaker_enabled: boolean;
  readonly meta_cloaker_param_name: string;
  readonly meta_cloaker_param_value: string;
  readonly block_automated: boolean;
  readonly utmify_pixel_id: string;
  readonly send_lead: boolean;
  readonly send_initiate_checkout: boolean;
  readonly bots: readonly PoolBotFields[];
}

export interface PoolBotFields {
  readonly username: string;
  readonly weight: string;
  readonly enabled: boolean;
}

/** A pool in the list. */
export interface PoolLine {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly tracked: boolean;
  readonly pixel: string | null;
  readonly testCode: string | null;
  /** Whether its events wait for somebody. */
  readonly paused: boolean;
  readonly gated: boolean;
  /** As they are read, one text each. */
  readonly bots: readonly string[];
  readonly today: number;
  readonly visits: number;
}

/** The pool's link, ready for ads. */
export interface AdLinkFacts {
  /** As visitors use it, with the gate's parameter. */
  readonly url: string;
  readonly parameters: string;
  /** Both together. */
  readonly link: string;
  readonly values: readonly {
    readonly name: string;
    readonly value: string;
    readonly error: string | undefined;
  }[];
  /** What Meta fills in, with its braces. */
  readonly macros: readonly string[];
  /** Visitors can reach the address. */
  readonly isPublic: boolean;
  /** Rows of squares of the address's QR code, with its margin; true is dark. */
  readonly qr: readonly (readonly boolean[])[];
}

/** What came of asking Meta. */
export interface PixelTrial {
  readonly tone: "good" | "warn" | "bad";
  readonly title: string;
  readonly text: string;
  readonly raw: readonly { readonly label: string; readonly text: string }[];
}
