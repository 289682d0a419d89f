import { z } from "zod";
import { equalInConstantTime } from "../../platform/digests.ts";
import { parseJson } from "../../platform/json.ts";
import type { PaymentEvent } from "../decide.ts";
import {
  assertPayable,
  type Checkout,
  type CheckoutRequest,
  type PaymentProvider,
  ProviderError,
  type WebhookReading,
  type WebhookRequest,
} from "./adapter.ts";
import { getFromProvider, type ProviderApi, postToProvider } from "./provider-call.ts";
import { createReadBacks, type ReadBacks } from "./read-backs.ts";

interface PushinPaySettings {
  readonly token: string;
  /** What PushinPay sends as `x-pushinpay-token`, where the account has one set; null: the header is not looked at. */
  readonly webhookToken: string | null;
  /** e.g. `https://api.pushinpay.com.br`. */
  readonly apiUrl: string;
  readonly timeoutMs?: number | undefined;
}

/** PushinPay may block an account that asks for one transaction more often than once a minute. */
const READ_BACK_EVERY_MS = 60_000;
const CURRENCY = "BRL";

const ID = /^[0-9A-Za-z-]{1,64}$/;

// PushinPay has been seen to write the same id in capitals and without.
const id = z.string().regex(ID).toLowerCase();
const status = z.string().toLowerCase();

const webhookSchema = z.looseObject({ id, status });
const transactionSchema = z.looseObject({
  id,
  status,
  // A number where the charge is made, a string where it is asked for.
  value: z.union([z.int(), z.string().regex(/^\d{1,15}$/)]).transform(Number),
  webhook_url: z.string().nullish(),
});
type Transaction = z.output<typeof transactionSchema>;
/** What it does not know is an empty list. */
const unknownSchema = z.array(z.unknown()).transform(() => null);
const createdSchema = z.looseObject({ id, qr_code: z.string().min(1) });

/**
 * PushinPay, a Pix gateway: a charge for each sale. Its webhook is not signed, at most it carries a token that the
 * account chooses; what counts is what the API then says of the transaction. Our reference rides in the webhook's
 * address (`?ref=`), and the API tells which address a transaction has. Source: PushinPay's documentation, "Criar PIX"
 * and "Consultar PIX".
 */
export function pushinPayProvider(settings: PushinPaySettings, now: () => Date): PaymentProvider {
  const readBacks = createReadBacks<Transaction | null>({ everyMs: READ_BACK_EVERY_MS, now });
  return {
    name: "pushinpay",
    read: (request) => read(settings, readBacks, request),
    createCheckout: (request) => createCharge(settings, request),
  };
}

async function read(
  settings: PushinPaySettings,
  readBacks: ReadBacks<Transaction | null>,
  { text, headers, query, isKnown }: WebhookRequest,
): Promise<WebhookReading> {
  const given = headers.get("x-pushinpay-token") ?? "";
  if (settings.webhookToken !== null && !equalInConstantTime(given, settings.webhookToken)) {
    return { kind: "forged", reason: "x-pushinpay-token is not the one that is set" };
  }
  const webhook = webhookSchema.safeParse(fieldsOf(text, headers.get("content-type")));
  if (!webhook.success)
    return { kind: "malformed", reason: "this is no webhook of PushinPay: id and status" };
  const { id, status: claimed } = webhook.data;
  // A mere "created" is not asked about: the question would be used up for a minute.
  if (pushinPayEvent({ id, status: claimed, value: 1 }) === null) return { kind: "ignored" };
  const ref = query.get("ref");
  // Without a token of its own it may be anybody's, about any transaction of any account.
  const only = settings.webhookToken === null ? id : undefined;
  if (!(await isKnown(ref || id, only))) return { kind: "unknown", providerRef: ref || id };
  const transaction = await transactionBehind(settings, readBacks, id, claimed);
  if (transaction === null)
    return { kind: "forged", reason: `PushinPay does not know the transaction ${id}` };
  return readTransaction(transaction, claimed, ref);
}

/**
 * The transaction as PushinPay's API tells of it; null where it knows none.
 * @throws ProviderError where what it said is older than the webhook's claim, and it may not be asked again yet
 */
async function transactionBehind(
  settings: PushinPaySettings,
  readBacks: ReadBacks<Transaction | null>,
  id: string,
  claimed: string,
): Promise<Transaction | null> {
  const { value, isFresh, nextInMs } = await readBacks.read(id, () => findTransaction(settings, id));
  const said = value && pushinPayEvent(value);
  const claim = pushinPayEvent({ id, status: claimed, value: 1 });
  // Money may yet come after an end without any, never the other way round.
  const isBehind =
    value !== null && (said === null || (said.kind === "expired" && claim?.kind !== said.kind));
  if ((!isFresh || isBehind) && value?.status !== claimed) {
    throw new ProviderError(
      `PushinPay may be asked for ${id} once a minute, and has not said ${claimed} yet`,
      { retryAfterSeconds: Math.ceil(nextInMs / 1000) },
    );
  }
  return value;
}

/** What PushinPay itself says, and whose payment it says this is. */
function readTransaction(transaction: Transaction, claimed: string, ref: string | null): WebhookReading {
  const { id, status } = transaction;
  const said = pushinPayEvent(transaction);
  if (said === null) return { kind: "ignored" };
  const note = `PushinPay's webhook said ${claimed}, its API says ${status} of ${id}`;
  const event = said.kind === "paid" && status !== claimed ? { ...said, note } : said;
  const whole = { kind: "event", providerRef: ref || id, event, registration: null } as const;
  if (!ref) return whole;
  const address = transaction.webhook_url ?? "";
  if (!URL.canParse(address)) return { ...whole, checkoutRef: id };
  return new URL(address).searchParams.get("ref") === ref
    ? whole
    : { kind: "forged", reason: `the transaction ${id} belongs to another payment` };
}

/** What a status means; null for one that is not its last. */
function pushinPayEvent({ id, status, value }: Transaction): PaymentEvent | null {
  switch (status) {
    case "paid":
      return value > 0 ? { kind: "paid", amountMinor: value, currency: CURRENCY, chargeId: id } : null;
    case "canceled":
    case "cancelled":
    case "expired":
      return { kind: "expired" };
    case "refunded":
      return { kind: "refunded", chargeId: id };
    case "chargeback":
      return { kind: "chargeback", chargeId: id };
    default:
      return null;
  }
}

function findTransaction(settings: PushinPaySettings, id: string): Promise<Transaction | null> {
  const thatTransaction = transactionSchema.refine((transaction) => transaction.id === id);
  return getFromProvider(
    apiOf(settings),
    `/api/transactions/${encodeURIComponent(id)}`,
    z.union([thatTransaction, unknownSchema]),
  );
}

async function createCharge(settings: PushinPaySettings, request: CheckoutRequest): Promise<Checkout> {
  const { reference, amountMinor, webhookUrl } = request;
  assertPayable("pushinpay", request);
  if (webhookUrl === null) {
    throw new ProviderError("PushinPay needs an address for its webhook: set PUBLIC_URL.", {
      isPermanent: true,
    });
  }
  const body = {
    value: amountMinor,
    webhook_url: `${webhookUrl}?ref=${encodeURIComponent(reference)}`,
    split_rules: [],
  };
  const posted = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const created = await postToProvider(apiOf(settings), "/api/pix/cashIn", posted, createdSchema);
  return { kind: "pix", providerRef: created.id, code: created.qr_code, url: null };
}

/** JSON or a form, as the content type says; PushinPay has sent both. */
function fieldsOf(text: string, contentType: string | null): unknown {
  return contentType?.includes("application/x-www-form-urlencoded")
    ? Object.fromEntries(new URLSearchParams(text))
    : parseJson(text);
}

function apiOf({ apiUrl, token, timeoutMs }: PushinPaySettings): ProviderApi {
  return { provider: "PushinPay", apiUrl, secret: token, timeoutMs };
}
