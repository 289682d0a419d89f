import { describe, expect, test } from "bun:test";
import { DIGEST, PIXEL, pageView, purchase, userData, useSandbox } from "./client.ts";

const client = useSandbox();
const nowSeconds = () => Math.floor(Date.now() / 1000);
const withUser = (changes: Record<string, unknown>) => pageView({ user_data: userData(changes) });
const DAY_SECONDS = 24 * 60 * 60;

const accepted: [string, () => unknown][] = [
  ["a page view", () => pageView()],
  ["a purchase", () => purchase()],
  ["a purchase of nothing", () => purchase({ value: 0 })],
  ["a currency in lower case, as Meta's own SDK sends it", () => purchase({ currency: "brl" })],
  ["an event just inside seven days", () => pageView({ event_time: nowSeconds() - 7 * DAY_SECONDS + 60 })],
  ["an event without an id", () => pageView({ event_id: undefined })],
  ["a hashed key as a bare string", () => withUser({ em: DIGEST })],
  ["several hashed e-mails", () => withUser({ em: [DIGEST, DIGEST] })],
  ["IP and user agent alone", () => withUser({ external_id: undefined, fbc: undefined, fbp: undefined })],
  ["an IPv6 address", () => withUser({ client_ip_address: "2804:14d:1::5" })],
  ["an fbc with the param builder's appendix", () => withUser({ fbc: "fb.1.1700000000000.AbC.AQ" })],
  ["an fbp with the long appendix", () => withUser({ fbp: "fb.2.1700000000000.12.AQABCDEF" })],
  [
    "Limited Data Use",
    () =>
      pageView({
        data_processing_options: ["LDU"],
        data_processing_options_country: 0,
        data_processing_options_state: 0,
      }),
  ],
  ["an explicit no to Limited Data Use", () => pageView({ data_processing_options: [] })],
  [
    "a chat event without URL and user agent",
    () => pageView({ action_source: "chat", event_source_url: undefined, user_data: { ph: [DIGEST] } }),
  ],
];

const refused: [string, () => unknown, number, RegExp][] = [
  ["an event that is no object", () => "PageView", 2804001, /must be an object/],
  ["no event_name", () => pageView({ event_name: undefined }), 2804001, /event_name/],
  ["an empty event_name", () => pageView({ event_name: "" }), 2804001, /event_name/],
  ["an empty event_id", () => pageView({ event_id: "" }), 2804001, /event_id/],
  ["a null event_id", () => pageView({ event_id: null }), 2804001, /event_id/],
  ["an unknown event key", () => pageView({ fbclid: "x" }), 2804048, /Unexpected key "fbclid"/],
  ["no event_time", () => pageView({ event_time: undefined }), 2804007, /event_time/],
  ["event_time as text", () => pageView({ event_time: "1700000000" }), 2804007, /event_time/],
  ["a fractional event_time", () => pageView({ event_time: nowSeconds() - 0.5 }), 2804007, /whole number/],
  [
    "an event older than seven days",
    () => pageView({ event_time: nowSeconds() - 7 * DAY_SECONDS - 60 }),
    2804003,
    /too far in the past/,
  ],
  ["an event in the future", () => pageView({ event_time: nowSeconds() + 60 }), 2804004, /after now/],
  ["event_time in milliseconds", () => pageView({ event_time: Date.now() }), 2804004, /not milliseconds/],
  ["no action_source", () => pageView({ action_source: undefined }), 2804019, /action_source/],
  ["an unknown action_source", () => pageView({ action_source: "web" }), 2804019, /action_source/],
  [
    "a website event without URL",
    () => pageView({ event_source_url: undefined }),
    2804019,
    /event_source_url/,
  ],
  ["an event_source_url that is no URL", () => pageView({ event_source_url: "/go/demo" }), 2804019, /http/],
  [
    "a website event without user agent",
    () => withUser({ client_user_agent: undefined }),
    2804019,
    /client_user_agent/,
  ],
  ["no user_data", () => pageView({ action_source: "chat", user_data: undefined }), 2804050, /user_data/],
  ["empty user_data", () => pageView({ action_source: "chat", user_data: {} }), 2804050, /broad/],
  ["a user agent alone", () => pageView({ user_data: { client_user_agent: "x" } }), 2804050, /broad/],
  [
    "user data too broad to match",
    () => pageView({ user_data: { client_user_agent: "x", ct: DIGEST, country: [DIGEST] } }),
    2804050,
    /broad/,
  ],
  ["an unknown user_data key", () => withUser({ email: DIGEST }), 2804048, /"email" in user_data/],
  ["a plain e-mail", () => withUser({ em: "ana@example.com" }), 2804016, /em parameter isn't hashed/],
  ["a digest in upper case", () => withUser({ ph: DIGEST.toUpperCase() }), 2804016, /ph parameter/],
  ["a digest with an appendix", () => withUser({ em: `${DIGEST}.AQ` }), 2804016, /em parameter/],
  ["one plain value among hashed ones", () => withUser({ fn: [DIGEST, "ana"] }), 2804016, /fn parameter/],
  ["a plain external_id", () => withUser({ external_id: "user-1" }), 2804016, /external_id parameter/],
  [
    "the digest of nothing",
    () => withUser({ fn: new Bun.CryptoHasher("sha256").update("").digest("hex") }),
    2804017,
    /user_data.fn is the digest of nothing/,
  ],
  ["an empty key", () => withUser({ em: "" }), 2804017, /user_data.em must not be empty/],
  ["a null key", () => withUser({ fbp: null }), 2804017, /user_data.fbp must not be null/],
  ["a null among hashed values", () => withUser({ em: [null] }), 2804017, /user_data.em must not be null/],
  ["an empty array", () => withUser({ em: [] }), 2804017, /empty array/],
  ["an array for a plain key", () => withUser({ fbc: ["fb.1.1700000000000.a"] }), 2804017, /not an array/],
  ["a number as a key", () => withUser({ ph: 5511999999999 }), 2804017, /must be a string/],
  ["a private IPv4 address", () => withUser({ client_ip_address: "10.1.2.3" }), 2804017, /private/],
  ["a loopback IPv6 address", () => withUser({ client_ip_address: "::1" }), 2804017, /private/],
  ["an address with a port", () => withUser({ client_ip_address: "203.0.113.7:80" }), 2804017, /not an IPv4/],
  ["an fbc that is a bare click id", () => withUser({ fbc: "IwAR0aBc" }), 2804017, /user_data.fbc/],
  ["an fbc with time in seconds", () => withUser({ fbc: "fb.1.1700000000.IwAR0" }), 2804017, /user_data.fbc/],
  ["an fbp with letters", () => withUser({ fbp: "fb.1.1700000000000.abc" }), 2804017, /user_data.fbp/],
  ["a hashed fbp", () => withUser({ fbp: DIGEST }), 2804017, /user_data.fbp/],
  ["custom_data that is no object", () => pageView({ custom_data: [] }), 2804001, /custom_data/],
  [
    "a purchase without custom_data",
    () => pageView({ event_name: "Purchase", custom_data: undefined }),
    2804009,
    /value/,
  ],
  ["a purchase without value", () => purchase({ value: undefined }), 2804009, /value/],
  ["a value as text", () => purchase({ value: "19.90" }), 2804009, /number/],
  ["a negative value", () => purchase({ value: -1 }), 2804009, /at least 0/],
  ["a purchase without currency", () => purchase({ currency: undefined }), 2804010, /currency/],
  ["a currency that does not exist", () => purchase({ currency: "XXZ" }), 2804010, /ISO 4217/],
  ["unknown processing options", () => pageView({ data_processing_options: ["ldu"] }), 2804001, /LDU/],
  ["LDU without country and state", () => pageView({ data_processing_options: ["LDU"] }), 2804001, /country/],
];

describe("the Conversions API accepts", () => {
  test.each(accepted)("%s", async (_name, event) => {
    const answer = await client.send([event()]);
    expect(answer.json).toEqual({
      events_received: 1,
      messages: [],
      fbtrace_id: expect.stringMatching(/^A[\w-]{22}$/),
    });
    expect(answer.status).toBe(200);
  });
});

describe("the Conversions API refuses the whole request, and names the event, for", () => {
  test.each(refused)("%s", async (_name, event, subcode, words) => {
    const answer = await client.send([pageView({ event_id: "good" }), event()]);
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({
      message: "Invalid parameter",
      type: "OAuthException",
      code: 100,
      error_subcode: subcode,
      is_transient: false,
    });
    expect(answer.json.error.error_user_msg).toMatch(words);
    expect(answer.json.error.error_user_msg).toStartWith("data[1]: ");
    expect((await client.call("GET", "/events")).json).toEqual([]);
  });
});

describe("a request as a whole", () => {
  const whole: [string, unknown, RegExp][] = [
    ["no JSON at all", "data=1", /JSON object/],
    ["a JSON array", "[]", /JSON object/],
    ["no data", { access_token: "t" }, /data must be an array/],
    ["no event", { access_token: "t", data: [] }, /non-empty/],
    [
      "an empty test_event_code",
      { access_token: "t", data: [pageView()], test_event_code: "" },
      /test_event_code/,
    ],
  ];
  test.each(whole)("is refused with %s", async (_name, body, words) => {
    const answer = await client.call("POST", `/v24.0/${PIXEL}/events`, body, { authorization: "Bearer t" });
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe(100);
    expect(answer.json.error.error_user_msg).toMatch(words);
  });

  test("takes a thousand events and refuses one more", async () => {
    const batch = Array.from({ length: 1000 }, (_, index) => pageView({ event_id: `evt_${index}` }));
    expect((await client.send(batch)).json.events_received).toBe(1000);
    const tooMany = await client.send([...batch, pageView({ event_id: "evt_last" })]);
    expect(tooMany.status).toBe(400);
    expect(tooMany.json.error.error_user_msg).toContain("at most 1000 events; it has 1001");
    expect((await client.call("GET", "/events/count")).json.count).toBe(1000);
  });
});
