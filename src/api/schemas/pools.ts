import { z } from "zod";
import { LOCALES, STRATEGIES } from "../../db/vocabulary.ts";
import type { PoolView } from "../../pools/pool-view.ts";
import { count, instant, maybe, text } from "./kinds.ts";

export const poolSchema: z.ZodType<PoolView> = z
  .strictObject({
    id: count,
    slug: text,
    name: text,
    enabled: z.boolean(),
    strategy: z.enum(STRATEGIES),
    locale: z.enum(LOCALES).nullable(),
    auto_continue_ms: count.nullable(),
    capture_params: z.array(text),
    meta_tracking_enabled: z.boolean(),
    meta_pixel_id: maybe,
    has_access_token: z.boolean(),
    meta_test_event_code: maybe,
    meta_cloaker_enabled: z.boolean(),
    meta_cloaker_param_name: text,
    meta_cloaker_param_value: maybe,
    block_automated: z.boolean(),
    utmify_pixel_id: maybe,
    send_lead: z.boolean(),
    send_initiate_checkout: z.boolean(),
    total_redirects: count,
    bots: z.array(
      z.strictObject({
        id: count,
        username: text,
        weight: count,
        enabled: z.boolean(),
        total_redirects: count,
      }),
    ),
    created_at: instant,
    updated_at: instant,
  })
  .meta({
    examples: [
      {
        id: 1,
        slug: "summer",
        name: "Summer sale",
        enabled: true,
        strategy: "weighted",
        locale: null,
        auto_continue_ms: null,
        capture_params: [],
        meta_tracking_enabled: true,
        meta_pixel_id: "1234567890123456",
        has_access_token: true,
        meta_test_event_code: null,
        meta_cloaker_enabled: true,
        meta_cloaker_param_name: "grim",
        meta_cloaker_param_value: "k7Qx2",
        block_automated: false,
        utmify_pixel_id: null,
        send_lead: false,
        send_initiate_checkout: false,
        total_redirects: 1204,
        bots: [{ id: 1, username: "shop_bot", weight: 1, enabled: true, total_redirects: 1204 }],
        created_at: "2025-03-01T12:00:00.000Z",
        updated_at: "2025-03-02T09:30:00.000Z",
      },
    ],
  });
