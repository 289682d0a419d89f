import type { Tone } from "./parts.tsx";

/** A bot's form as it stands in the page: what was typed, right or wrong. The tokens are never in it. */
export interface BotFields {
  readonly username: string;
  readonly enabled: boolean;
  /** Empty follows the person's. */
  readonly locale: string;
  readonly welcome: string;
  /** New tokens may be typed; these take the stored ones away. */
  readonly removes_token: boolean;
  readonly removes_payment_token: boolean;
}

/** A bot in the list. */
export interface BotLine {
  readonly id: number;
  readonly username: string;
  readonly enabled: boolean;
  readonly healthy: boolean;
  readonly has_token: boolean;
  readonly pools: readonly string[];
  readonly people: PeopleCount;
}

/** How many people started a bot, counted up to a limit. */
export interface PeopleCount {
  readonly total: number;
  /** There are more than were counted. */
  readonly isMore: boolean;
}

/** Where Telegram sends a bot's updates, in the operator's words. */
export interface WebhookFacts {
  readonly tone: Tone;
  /** In a word or two. */
  readonly short: string;
  readonly title: string;
  readonly text: string;
}

/** An offer in its bot's list. */
export interface OfferLine {
  readonly id: number;
  readonly name: string;
  readonly price: string;
  readonly provider: string;
  readonly position: number;
  readonly enabled: boolean;
  /** Whether somebody takes its money with the settings as they are. */
  readonly isPayable: boolean;
}
