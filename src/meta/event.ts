/** The names Ponte reports; all are Meta's standard events. */
type MetaEventName = "PageView" | "Lead" | "InitiateCheckout" | "Purchase";

/**
 * Meta's `user_data`, as Ponte sends it: the first five are SHA-256 digests (64 lower-case hex digits), the rest plain.
 * A key is left out where there is nothing to say; none is ever empty or null.
 */
export interface UserData {
  readonly em?: string;
  readonly ph?: string;
  readonly fn?: string;
  readonly ln?: string;
  readonly external_id?: string;
  readonly client_ip_address?: string;
  readonly client_user_agent?: string;
  readonly fbc?: string;
  readonly fbp?: string;
}

/** A campaign parameter's name, as it came in the link. */
export type UtmKey = `utm_${string}`;

/** What the event is about. `value` is in major units (12.9 for R$ 12,90) and always comes with its `currency`. */
export interface CustomData {
  readonly value?: number;
  readonly currency?: string;
  readonly content_ids?: readonly string[];
  readonly content_name?: string;
  readonly content_type?: string;
  readonly order_id?: string;
  readonly pool?: string;
  readonly pool_name?: string;
  readonly [utm: UtmKey]: string;
}

/** One element of `data` in `POST /<pixel>/events`: plain JSON, ready for `JSON.stringify`. */
export interface MetaEvent {
  readonly event_name: MetaEventName;
  /** Unix seconds. */
  readonly event_time: number;
  /** Meta counts one event per `event_name` + `event_id` within 48 hours. */
  readonly event_id: string;
  readonly action_source: "website";
  readonly event_source_url?: string;
  readonly user_data: UserData;
  readonly custom_data?: CustomData;
  readonly data_processing_options?: readonly "LDU"[];
  readonly data_processing_options_country?: number;
  readonly data_processing_options_state?: number;
}

/** The same event under Limited Data Use; country and state 0 ask Meta to locate the person itself. */
export function withLimitedDataUse(event: MetaEvent): MetaEvent {
  return {
    ...event,
    data_processing_options: ["LDU"],
    data_processing_options_country: 0,
    data_processing_options_state: 0,
  };
}
