import type { Config } from "../config.ts";
import { damagedSpools, isUnread } from "../db/spool/damaged-spool.ts";
import { openSpool, type Spool } from "../db/spool/spool.ts";
import { createLog } from "../platform/log.ts";
import { untilConnected } from "../platform/until-connected.ts";
import { type ErasureDeps, erasePerson } from "../privacy/erase.ts";
import { type Erasure, isAnything } from "../privacy/erasure.ts";
import { erasureSchema, personKey } from "../privacy/key.ts";
import type { PersonKey } from "../privacy/person.ts";
import { noTrackingStore, redisTrackingStore } from "../tracking/tracking-store.ts";
import { ASKING_FLAGS, askFirst, refuseUnasked } from "./ask-first.ts";
import { type Context, defineCommand, type Given, WrongUsage } from "./command.ts";
import { checked } from "./input.ts";
import { answer, count, record } from "./print.ts";
import { ACTOR, isMissing, type Opened, withDatabase } from "./with-database.ts";

export const privacyErase = defineCommand({
  name: "privacy erase",
  summary: "Erase a person's data: by visit, payment or customer",
  options: {
    token: { type: "string", value: "token", help: "the tracking token of a visit of theirs" },
    payment: { type: "string", value: "id", help: "a payment of theirs" },
    customer: { type: "string", value: "id", help: "their Telegram user id, or your shop's id of them" },
    ...ASKING_FLAGS,
  },
  details: [
    "Finds the Telegram user and the customer behind the key, with every visit, bot and payment of theirs, and takes",
    "them out of all tables, Redis and this machine's spool. Amounts, references and counts stay. What had not been",
    "sent to Meta or to them never will be. Cannot be undone; running it again is safe. See docs/privacy.md.",
  ].join(" "),
  examples: [
    "privacy erase --customer 123456789 --dry-run",
    "privacy erase --token 0193f2a5c1d27e3f8a4b5c6d7e8f9012",
  ],
  async run(given, _values, context) {
    const keys = [given.token, given.payment, given.customer].filter((key) => key !== undefined);
    if (keys.length !== 1) throw new WrongUsage("give one of --token, --payment and --customer");
    const input = { tracking_token: given.token, payment_id: given.payment, customer: given.customer };
    const flagOfField = { tracking_token: "token", payment_id: "payment" };
    const key = personKey(checked(erasureSchema, input, flagOfField));
    refuseUnasked(context, given);
    await withDatabase(context, (opened) =>
      withStores(opened, (deps) => eraseIfMeant(deps, key, context, given)),
    );
  },
});

/** A dry run only counts; and who does not say `--yes` sees first what would go. */
async function eraseIfMeant(
  deps: ErasureDeps,
  key: PersonKey,
  context: Context,
  given: Given<typeof ASKING_FLAGS>,
): Promise<void> {
  const preview = await erasePerson(deps, key, { actor: ACTOR, dryRun: true });
  if (given["dry-run"]) return answer(context, preview, () => erasureText(preview));
  if (isAnything(preview) && !given.yes) {
    context.terminal.err(erasureText(preview));
    await askFirst(context, given, "Erase this for good?");
  }
  const erasure = await erasePerson(deps, key, { actor: ACTOR, dryRun: false });
  answer(context, erasure, () => erasureText(erasure));
}

/** The spool and Redis of this machine, where it has them. */
async function withStores({ config, db, now }: Opened, work: (deps: ErasureDeps) => Promise<void>) {
  const spool = openOwnSpool(config);
  const redis = await connectedRedis(config);
  try {
    await work({
      db,
      now,
      spool,
      trackingStore: redis ? redisTrackingStore(redis, config.trackingTtlDays) : noTrackingStore,
    });
  } finally {
    redis?.disconnect();
    spool?.close();
  }
}

/** One that cannot be looked at is not taken for none. */
function openOwnSpool({ spoolFile }: Config): Spool | null {
  if (isMissing(spoolFile)) return null;
  const spool = openSpool(spoolFile);
  if (!damagedSpools(spoolFile).some(isUnread)) spool.endForgetting();
  return spool;
}

/** Redis, once it answers or is known not to; what it cannot be asked then counts as unknown. */
async function connectedRedis({ redisUrl }: Config) {
  if (redisUrl === undefined) return undefined;
  const { connectRedis } = await import("../platform/redis.ts");
  const redis = connectRedis(redisUrl, createLog("silent"));
  await untilConnected(redis);
  return redis;
}

function erasureText(erasure: Erasure): string {
  const { dry_run, sessions, people, payments, outbox, unsent, undelivered, answers, spooled, copies } =
    erasure;
  if (!isAnything(erasure) && copies !== null) return "Nothing is known of this person (any more).";
  return [
    dry_run ? "Would erase:" : "Erased:",
    record([
      ["Visits", sessions],
      ["People in bots", people],
      ["Payments (amounts stay)", payments],
      ["Events and messages", outbox],
      ["  never sent now", unsent],
      ["Telegram's answers", answers],
      ["Visits on this disk", spooled],
      ["Copies in Redis", copies ?? "Redis did not answer; they go after TRACKING_TTL_DAYS"],
    ]),
    ...(undelivered > 0
      ? [
          "",
          `${count(undelivered, "thing")} paid for ${dry_run ? "would" : "will"} not be handed over: do so yourself, or give the money back.`,
        ]
      : []),
  ].join("\n");
}
