/** The providers' documented examples, with what a test is about replaced. */

export const REFERENCE = "0193f2a5c1d27e3f8a4b5c6d7e8f9012";

/** Stripe's API reference, "The Event object". */
export function stripeEvent(type: string, object: object): object {
  return {
    id: "evt_1NG8Du2eZvKYlo2CUI79vXWy",
    object: "event",
    api_version: "2025-09-30.clover",
    created: 1686089970,
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  };
}

/** Stripe's API reference, "The Checkout Session object". */
export function stripeSession(changes: object = {}): object {
  return {
    id: "cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u",
    object: "checkout.session",
    amount_subtotal: 4990,
    amount_total: 4990,
    automatic_tax: { enabled: false, liability: null, status: null },
    client_reference_id: REFERENCE,
    created: 1679600215,
    currency: "brl",
    customer: null,
    customer_details: null,
    expires_at: 1679686615,
    livemode: false,
    metadata: { reference: REFERENCE },
    mode: "payment",
    payment_intent: "pi_1GszAT2eZvKYlo2CpzrNQ6Bp",
    payment_method_types: ["card"],
    payment_status: "paid",
    status: "complete",
    success_url: "https://t.me/my_shop_bot",
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    url: null,
    ...changes,
  };
}

/** Stripe's API reference, "The Charge object". */
export function stripeCharge(changes: object = {}): object {
  return {
    id: "ch_3MmlLrLkdIwHu7ix0snN0B15",
    object: "charge",
    amount: 4990,
    amount_captured: 4990,
    amount_refunded: 4990,
    captured: true,
    created: 1679090539,
    currency: "brl",
    disputed: false,
    livemode: false,
    metadata: { reference: REFERENCE },
    paid: true,
    payment_intent: "pi_1GszAT2eZvKYlo2CpzrNQ6Bp",
    refunded: true,
    status: "succeeded",
    ...changes,
  };
}

/** Stripe's API reference, "The Dispute object". */
export function stripeDispute(changes: object = {}): object {
  return {
    id: "du_1MtJUT2eZvKYlo2CNaw2HvEv",
    object: "dispute",
    amount: 4990,
    balance_transactions: [],
    charge: "ch_3MmlLrLkdIwHu7ix0snN0B15",
    created: 1680651737,
    currency: "brl",
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: "pi_1GszAT2eZvKYlo2CpzrNQ6Bp",
    reason: "general",
    status: "needs_response",
    ...changes,
  };
}

/** Mercado Pago's "Webhooks" guide. */
export function mercadoPagoNotification(changes: object = {}): object {
  return {
    id: 12345,
    live_mode: true,
    type: "payment",
    date_created: "2015-03-25T10:04:58.396-04:00",
    user_id: 44444,
    api_version: "v1",
    action: "payment.updated",
    data: { id: "1234567890" },
    ...changes,
  };
}

/** Mercado Pago's reference, "Get payment", for Pix. */
export function mercadoPagoPayment(changes: object = {}): object {
  return {
    id: 1234567890,
    date_created: "2026-05-25T13:01:02.000-03:00",
    date_approved: "2026-05-25T13:01:40.000-03:00",
    status: "approved",
    status_detail: "accredited",
    currency_id: "BRL",
    description: "Curso",
    external_reference: REFERENCE,
    payment_method_id: "pix",
    payment_type_id: "bank_transfer",
    transaction_amount: 49.9,
    transaction_amount_refunded: 0,
    payer: { email: "test_user@testuser.com", identification: { type: "CPF", number: "19119119100" } },
    ...changes,
  };
}

export const PUSHINPAY_ID = "9c29870c-9f69-4bb6-90d3-2dce9453bb45";

/** PushinPay's documentation, "Consultar PIX". */
export function pushinPayTransaction(changes: object = {}): object {
  return {
    id: PUSHINPAY_ID,
    status: "paid",
    value: "4990",
    description: "Pagamento PIX",
    payment_type: "pix",
    created_at: "2025-09-26T13:15:48.027000Z",
    updated_at: "2025-09-26T13:15:48.027000Z",
    webhook_url: `https://go.example.com/api/payments/webhooks/pushinpay?ref=${REFERENCE}`,
    split_rules: [],
    fee: null,
    total: null,
    end_to_end_id: "E9999999920250926131600000000000",
    payer_name: "Maria da Silva",
    payer_national_registration: "19119119100",
    ...changes,
  };
}
