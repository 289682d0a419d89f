/** Updates as Telegram sends them, to a bot of the tests. */

let nextUpdateId = 1_000;
let nextUserId = 10_000;

/** Somebody whom no test has met before. */
export function newUser(extra: object = {}) {
  return { id: ++nextUserId, is_bot: false, first_name: "Ana", language_code: "pt-br", ...extra };
}

export type TestUser = ReturnType<typeof newUser>;

/** `/start`, with the payload of a link. */
export function startUpdate(user: TestUser, payload = "") {
  const text = payload ? `/start ${payload}` : "/start";
  return {
    update_id: ++nextUpdateId,
    message: {
      message_id: 1,
      date: 1_700_000_000,
      chat: { id: user.id, type: "private", first_name: user.first_name },
      from: user,
      text,
      entities: [{ type: "bot_command", offset: 0, length: 6 }],
    },
  };
}

/** A tap on a button with that data. */
export function buttonUpdate(user: TestUser, data: string) {
  return {
    update_id: ++nextUpdateId,
    callback_query: { id: `cb${nextUpdateId}`, from: user, chat_instance: "1", data },
  };
}

/** The question before a payment; `payload` is the payment's id. */
export function preCheckoutUpdate(user: TestUser, payload: string, amount: number, currency: string) {
  return {
    update_id: ++nextUpdateId,
    pre_checkout_query: {
      id: `pc${nextUpdateId}`,
      from: user,
      currency,
      total_amount: amount,
      invoice_payload: payload,
    },
  };
}

/** The message that a payment was made, or given back. */
export function paidUpdate(
  user: TestUser,
  payload: string,
  amount: number,
  currency: string,
  kind: "successful_payment" | "refunded_payment" = "successful_payment",
) {
  return {
    update_id: ++nextUpdateId,
    message: {
      message_id: 2,
      date: 1_700_000_000,
      chat: { id: user.id, type: "private", first_name: user.first_name },
      from: user,
      [kind]: {
        currency,
        total_amount: amount,
        invoice_payload: payload,
        telegram_payment_charge_id: `charge-${payload}`,
        provider_payment_charge_id: "",
      },
    },
  };
}

/** The bot is blocked, or let in again. */
export function membershipUpdate(user: TestUser, status: "kicked" | "member") {
  return {
    update_id: ++nextUpdateId,
    my_chat_member: {
      chat: { id: user.id, type: "private" },
      from: user,
      date: 1_700_000_000,
      old_chat_member: { status: "member" },
      new_chat_member: { status },
    },
  };
}
