import { z } from "zod";
import type { LinkAnswer } from "../link-answer.ts";
import type { PixelAnswer, TestEventAnswer } from "../pixel-answers.ts";
import { maybe, text } from "./kinds.ts";

export const linkSchema: z.ZodType<LinkAnswer> = z
  .strictObject({
    link: text.describe("Whole, as an ad takes it"),
    url: text.describe("For Ads Manager's field Website URL"),
    url_parameters: text.describe("For Ads Manager's field URL parameters"),
    gate: z.strictObject({ name: text, value: text }).nullable(),
    values: z.record(text, text),
    macros: z.array(text).describe("What Meta fills in when the ad is clicked"),
    unknown_macros: z.array(text).describe("Misspelt ones for the most part: Meta leaves them as they are"),
    is_public: z.boolean().describe("false: PUBLIC_URL is not set, the link works on the server itself only"),
  })
  .meta({
    examples: [
      {
        link: "https://go.example.com/go/summer?grim=k7Qx2&utm_source=facebook&utm_campaign={{campaign.name}}",
        url: "https://go.example.com/go/summer?grim=k7Qx2",
        url_parameters: "utm_source=facebook&utm_campaign={{campaign.name}}",
        gate: { name: "grim", value: "k7Qx2" },
        values: { utm_source: "facebook", utm_campaign: "{{campaign.name}}" },
        macros: ["{{campaign.name}}"],
        unknown_macros: [],
        is_public: true,
      },
    ],
  });

export const pixelSchema: z.ZodType<PixelAnswer> = z
  .strictObject({
    kind: z
      .enum([
        "reached",
        "refused",
        "unreadable",
        "misaddressed",
        "unanswered",
        "no_pixel",
        "no_token",
        "sealed",
      ])
      .describe(
        "`unreadable`: a token made for the Conversions API alone may still send; `misaddressed`: META_GRAPH_VERSION or META_GRAPH_URL is to blame",
      ),
    pixel_id: maybe,
    name: maybe,
    reason: maybe,
  })
  .meta({
    examples: [{ kind: "reached", pixel_id: "1234567890123456", name: "Summer shop", reason: null }],
  });

export const testEventSchema: z.ZodType<TestEventAnswer> = z
  .strictObject({
    outcome: z.enum(["delivered", "partial", "transient", "throttled", "credential", "invalid"]),
    reason: maybe,
    test_event_code: text,
    event: z.unknown().describe("What was sent"),
    answer: z.strictObject({ status: z.int().nullable(), body: text, duration_ms: z.int() }),
  })
  .meta({
    examples: [
      {
        outcome: "delivered",
        reason: null,
        test_event_code: "TEST12345",
        event: { event_name: "PageView", event_id: "test_0193f2a5c1d27e3f8a4b5c6d7e8f9012" },
        answer: {
          status: 200,
          body: '{"events_received":1,"messages":[],"fbtrace_id":"A1b2"}',
          duration_ms: 182,
        },
      },
    ],
  });
