import type { z } from "zod";
import type { Config } from "../config.ts";
import { visitorLink } from "../pools/ad-link.ts";
import { createPool, deletePool, updatePool } from "../pools/manage-pools.ts";
import { poolChangeSchema, poolDraftSchema } from "../pools/pool-rules.ts";
import { findPool, listPools, type PoolView } from "../pools/pool-view.ts";
import { type Context, defineCommand, Refused, WrongUsage } from "./command.ts";
import { issueLines } from "./input.ts";
import { allPages } from "./pages.ts";
import { noSuchPool, POOL_FLAG_OF_FIELD, POOL_FLAGS, poolInput } from "./pool-flags.ts";
import { answer, record, table } from "./print.ts";
import { checkedWithSecrets } from "./secret.ts";
import { ACTOR, withDatabase } from "./with-database.ts";

const SLUG = { type: "string", value: "slug", help: "the pool's name in links, as in /go/<slug>" } as const;

export const poolAdd = defineCommand({
  name: "pool add",
  summary: "Make a pool: a link with its pixel, its gate and its bots",
  options: { slug: SLUG, ...POOL_FLAGS },
  details:
    "A gate value, a test code and most texts can be cleared later with pool update and an empty value.",
  examples: [
    "pool add --slug summer --name 'Summer sale' --pixel-id 1234567890 --access-token - --bot shop_bot",
    "pool add --slug split --bot a_bot:3 --bot b_bot:1 --gate-param grim=k7Qx2 --block-automated",
  ],
  async run(given, _values, context) {
    const draft = await read(context, poolDraftSchema, { slug: given.slug, ...poolInput(given) });
    await withDatabase(context, async (opened) => {
      const result = await createPool(opened, ACTOR, draft);
      switch (result.kind) {
        case "created":
          return printPool(context, opened.config, result.pool, "Made");
        case "slug_taken":
          throw new Refused(
            `There is a pool "${draft.slug}" already. Change it with: bun run ponte pool update ${draft.slug}`,
          );
        case "invalid":
          throw new Refused(issueLines(result.issues, POOL_FLAG_OF_FIELD));
      }
    });
  },
});

export const poolUpdate = defineCommand({
  name: "pool update",
  summary: "Change a pool; only what is named changes",
  takes: ["[slug]"],
  options: { slug: SLUG, ...POOL_FLAGS },
  details:
    'An empty value clears: --test-event-code "", --gate-param "". The bots given with --bot are the whole new list.',
  examples: ["pool update summer --test-event-code ''", "pool update summer --bot a_bot:2 --bot c_bot"],
  async run(given, values, context) {
    const slug = slugOf(given.slug, values);
    const input = poolInput(given);
    if (Object.keys(input).length === 0) throw new WrongUsage("nothing to change was named");
    const change = await read(context, poolChangeSchema, input);
    await withDatabase(context, async (opened) => {
      const result = await updatePool(opened, ACTOR, slug, change);
      switch (result.kind) {
        case "updated":
          return printPool(context, opened.config, result.pool, "Changed");
        case "unchanged":
          return printPool(context, opened.config, result.pool, "Nothing to change in");
        case "not_found":
          throw noSuchPool(slug);
        case "invalid":
          throw new Refused(issueLines(result.issues, POOL_FLAG_OF_FIELD));
      }
    });
  },
});

export const poolList = defineCommand({
  name: "pool list",
  summary: "List the pools",
  options: {},
  async run(_given, _values, context) {
    await withDatabase(context, async ({ db }) => {
      const pools = await allPages((page) => listPools(db, db.tables, page));
      answer(context, pools, () =>
        pools.length === 0 ? "No pool yet. Make one with: bun run ponte pool add --help" : poolTable(pools),
      );
    });
  },
});

export const poolShow = defineCommand({
  name: "pool show",
  summary: "Show a pool, with the link that ads point to",
  takes: ["[slug]"],
  options: { slug: SLUG },
  async run(given, values, context) {
    const slug = slugOf(given.slug, values);
    await withDatabase(context, async ({ db, config }) => {
      const pool = await findPool(db, db.tables, slug);
      if (pool === null) throw noSuchPool(slug);
      printPool(context, config, pool, null);
    });
  },
});

export const poolRemove = defineCommand({
  name: "pool remove",
  summary: "Remove a pool that never had a visit",
  takes: ["<slug>"],
  options: {},
  details:
    "One that had visits, or of which events wait, stays: turn it off with pool update --no-enabled. There is no undo.",
  async run(_given, [slug = ""], context) {
    await withDatabase(context, async (opened) => {
      const { kind } = await deletePool(opened, ACTOR, slug);
      switch (kind) {
        case "deleted":
          return answer(context, { slug, removed: true }, () => `Removed pool "${slug}".`);
        case "not_found":
          throw noSuchPool(slug);
        case "in_use":
          throw new Refused(
            `Pool "${slug}" was not removed: it had visitors, or events of it wait. Turn its link off instead: bun run ponte pool update ${slug} --no-enabled`,
          );
      }
    });
  },
});

function read<S extends z.ZodType>({ terminal }: Context, schema: S, input: Record<string, unknown>) {
  return checkedWithSecrets(terminal, schema, input, {
    secrets: ["meta_access_token"],
    flagOfField: POOL_FLAG_OF_FIELD,
  });
}

function slugOf(flag: string | undefined, [value]: readonly string[]): string {
  if (flag !== undefined && value !== undefined) {
    throw new WrongUsage("name the pool once; its slug stands in the ads' links and never changes");
  }
  const slug = flag ?? value;
  if (slug === undefined) throw new WrongUsage("<slug> is missing");
  return slug;
}

function printPool(context: Context, config: Config, pool: PoolView, done: string | null): void {
  const link = visitorLink(config, pool);
  if (config.publicUrl === undefined) {
    context.terminal.err(
      "PUBLIC_URL is not set, so the link leads to this machine only. No ad should have it.",
    );
  }
  answer(context, { ...pool, link }, () =>
    [...(done === null ? [] : [`${done} pool "${pool.slug}".`, ""]), poolRecord(pool, link)].join("\n"),
  );
}

function poolRecord(pool: PoolView, link: string): string {
  return record([
    ["Link", link],
    ["Name", pool.name],
    ["Enabled", pool.enabled ? "yes" : "no: its link answers 404"],
    ["Pixel", pixelText(pool)],
    ["Test code", pool.meta_test_event_code ?? undefined],
    ["Gate", gateText(pool)],
    ["UTMify", pool.utmify_pixel_id ?? undefined],
    ["Language", pool.locale ?? "the visitor's"],
    ["Auto-continue", pool.auto_continue_ms === null ? "no" : `within ${pool.auto_continue_ms} ms`],
    ["Also kept", pool.capture_params.join(", ") || undefined],
    ["Further events", furtherEvents(pool) || undefined],
    ["Bots", `${pool.bots.map(botText).join(", ")} (${pool.strategy})`],
    ["Visits", pool.total_redirects],
    ["Made", pool.created_at],
    ["Changed", pool.updated_at],
  ]);
}

function poolTable(pools: readonly PoolView[]): string {
  return table(pools, [
    { head: "SLUG", cell: ({ slug }) => slug },
    { head: "NAME", cell: ({ name }) => name },
    { head: "ENABLED", cell: ({ enabled }) => (enabled ? "yes" : "no") },
    { head: "VISITS", cell: ({ total_redirects }) => total_redirects },
    { head: "PIXEL", cell: ({ meta_pixel_id }) => meta_pixel_id },
    { head: "TEST CODE", cell: ({ meta_test_event_code }) => meta_test_event_code },
    { head: "GATE", cell: gateText },
    { head: "BOTS", cell: ({ bots }) => bots.map(botText).join(", ") },
  ]);
}

function pixelText(pool: PoolView): string {
  if (pool.meta_pixel_id === null) {
    return pool.has_access_token
      ? "none: nothing goes to Meta until --pixel-id says whose the token is"
      : "none";
  }
  if (!pool.meta_tracking_enabled) return `${pool.meta_pixel_id}, tracking is off`;
  return `${pool.meta_pixel_id}, ${pool.has_access_token ? "with token" : "without token"}`;
}

function gateText(pool: PoolView): string {
  const param = pool.meta_cloaker_enabled
    ? [`${pool.meta_cloaker_param_name}=${pool.meta_cloaker_param_value}`]
    : [];
  const automated = pool.block_automated ? ["no automated clients"] : [];
  return [...param, ...automated].join(", ") || "open";
}

function furtherEvents(pool: PoolView): string {
  return [
    ...(pool.send_lead ? ["Lead"] : []),
    ...(pool.send_initiate_checkout ? ["InitiateCheckout"] : []),
  ].join(", ");
}

function botText({ username, weight, enabled }: PoolView["bots"][number]): string {
  return `@${username}:${weight}${enabled ? "" : " (off)"}`;
}
