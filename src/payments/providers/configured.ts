import type { PaymentsConfig } from "../../config/payments.ts";
import type { PaymentProvider } from "./adapter.ts";
import { genericProvider } from "./generic.ts";
import { mercadoPagoProvider } from "./mercadopago.ts";
import { pushinPayProvider } from "./pushinpay.ts";
import { stripeProvider } from "./stripe.ts";

/** The providers that the settings name, by their names. */
export function configuredProviders(
  { generic, stripe, mercadopago, pushinpay }: PaymentsConfig,
  now: () => Date,
): ReadonlyMap<string, PaymentProvider> {
  const providers = [
    generic && genericProvider(generic.webhookSecret, now),
    stripe && stripeProvider(stripe, now),
    mercadopago && mercadoPagoProvider(mercadopago),
    pushinpay && pushinPayProvider(pushinpay, now),
  ];
  return new Map(providers.flatMap((provider) => (provider ? [[provider.name, provider] as const] : [])));
}
