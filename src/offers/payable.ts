import type { PaymentsConfig } from "../config/payments.ts";
import { CHECKOUT_PROVIDERS } from "../db/vocabulary.ts";
import { TELEGRAM_STARS } from "../money/currencies.ts";
import type { Issue } from "../platform/parse-input.ts";
import { TELEGRAM_PROVIDER } from "../telegram/sale.ts";
import { toStripeAmount } from "./stripe-amount.ts";

const PIX_CURRENCY = "BRL";
/** Source: PushinPay's documentation, "Criar PIX". */
const PUSHINPAY_LEAST_CENTS = 50;

/** A price and who takes it. */
interface Asked {
  readonly provider: string;
  readonly priceMinor: number;
  readonly currency: string;
}

/**
 * Why nobody could ever pay this price to this provider; null where they can. Offers are held to it when they are
 * saved, and adapters when a checkout is made, of offers that were saved before.
 */
export function payableIssue({ provider, priceMinor, currency }: Asked): Issue | null {
  if (currency === TELEGRAM_STARS && provider !== TELEGRAM_PROVIDER) {
    return { path: "provider", message: "Stars (XTR) are paid inside Telegram: the provider is telegram" };
  }
  switch (provider) {
    case TELEGRAM_PROVIDER:
      return null;
    case "stripe":
      return toStripeAmount(priceMinor, currency) === null
        ? {
            path: "price_minor",
            message: `Stripe cannot charge ${priceMinor} ${currency} (in its smallest unit): see "Amounts" in docs/payments.md`,
          }
        : null;
    case "mercadopago":
      return pixIssue(currency);
    case "pushinpay":
      return pixIssue(currency) ?? pushinPayIssue(priceMinor);
    default:
      return {
        path: "provider",
        message: `"${provider}" makes no checkouts: choose one of ${CHECKOUT_PROVIDERS.join(", ")}`,
      };
  }
}

/** Who can make a checkout with the settings as they are. The generic provider only reports what others sold. */
export function takingProviders({ mercadopago, pushinpay, stripe }: PaymentsConfig): string[] {
  const named = Object.entries({ mercadopago, pushinpay, stripe });
  return [...named.flatMap(([name, settings]) => (settings ? [name] : [])), TELEGRAM_PROVIDER];
}

/** What a bot has besides its offers. */
interface SellingBot {
  readonly username: string;
  readonly has_payment_token: boolean;
}

/**
 * Why nobody can pay for an offer with the settings as they are, and what to do; null where they can, or where it is not
 * for sale. It may be written before its provider is set up, so that this is a warning.
 */
export function nobodyTakes(
  { provider, currency, enabled }: Pick<Asked, "provider" | "currency"> & { readonly enabled: boolean },
  bot: SellingBot,
  payments: PaymentsConfig,
): { readonly why: string; readonly todo: string } | null {
  if (!enabled) return null;
  const taking = takingProviders(payments);
  if (!taking.includes(provider)) {
    return {
      why: `Nobody can pay: ${provider} is not set up on this server`,
      todo: `Set its keys (docs/payments.md), where the server runs and where commands do, or choose one that is: ${taking.join(", ")}.`,
    };
  }
  if (provider !== TELEGRAM_PROVIDER || currency === TELEGRAM_STARS || bot.has_payment_token) return null;
  return {
    why: `Nobody can pay: @${bot.username} has no payment token`,
    todo: `Give it the one from @BotFather: bun run ponte bot update ${bot.username} --payment-token -`,
  };
}

function pixIssue(currency: string): Issue | null {
  if (currency === PIX_CURRENCY) return null;
  return { path: "currency", message: `Pix is paid in BRL, and this price is in ${currency}` };
}

function pushinPayIssue(priceMinor: number): Issue | null {
  if (priceMinor >= PUSHINPAY_LEAST_CENTS) return null;
  return {
    path: "price_minor",
    message: `PushinPay charges 50 cents at least, and this price is ${priceMinor}`,
  };
}
