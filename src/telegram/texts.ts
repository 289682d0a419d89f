/** What Ponte itself says in a chat. Placeholders are filled with escaped text. */
export interface Texts {
  readonly welcome: (firstName: string | null) => string;
  readonly chooseOffer: string;
  readonly noOffers: string;
  readonly buy: (price: string) => string;
  readonly payHere: string;
  readonly payWithPix: string;
  readonly pixHint: string;
  readonly copyPixCode: string;
  readonly showQrCode: string;
  readonly paid: string;
  readonly delivery: string;
  /** To somebody who wants to pay an invoice that is not open any more. */
  readonly invoiceClosed: string;
  /** To somebody who wants to buy what the payment provider does not take. */
  readonly unpayable: string;
  /** To somebody who taps an offer that is not for sale any more. */
  readonly offerGone: string;
}

const PORTUGUESE: Texts = {
  welcome: (firstName) => (firstName === null ? "Olá! 👋" : `Olá, ${firstName}! 👋`),
  chooseOffer: "Escolha uma opção abaixo:",
  noOffers: "No momento não há ofertas disponíveis. Volte em breve.",
  buy: (price) => `Comprar por ${price}`,
  payHere: "Pagar agora",
  payWithPix: "Pague com Pix copia e cola:",
  pixHint:
    "Copie o código e cole no aplicativo do seu banco. O acesso chega aqui assim que o pagamento cair.",
  copyPixCode: "Copiar código Pix",
  showQrCode: "Ver QR code",
  paid: "Pagamento confirmado! ✅",
  delivery: "Aqui está o que você comprou:",
  invoiceClosed: "Esta cobrança não está mais aberta. Escolha a oferta de novo, por favor.",
  unpayable: "Esta oferta não pode ser paga no momento. Tente de novo mais tarde, por favor.",
  offerGone: "Esta oferta não está mais disponível.",
};

const ENGLISH: Texts = {
  welcome: (firstName) => (firstName === null ? "Hello! 👋" : `Hello, ${firstName}! 👋`),
  chooseOffer: "Choose an option below:",
  noOffers: "There is nothing on offer right now. Please come back soon.",
  buy: (price) => `Buy for ${price}`,
  payHere: "Pay now",
  payWithPix: "Pay with this Pix code:",
  pixHint:
    "Copy the code and paste it into your bank's app. What you buy arrives here once the payment is in.",
  copyPixCode: "Copy the Pix code",
  showQrCode: "Show the QR code",
  paid: "Payment confirmed! ✅",
  delivery: "Here is what you bought:",
  invoiceClosed: "This invoice is not open any more. Please choose the offer again.",
  unpayable: "This offer cannot be paid right now. Please try again later.",
  offerGone: "This offer is not available any more.",
};

/** The language of a chat: Portuguese for `pt…` and where nothing is known, English for the rest. */
export function chatLocale(language: string | null): "pt-BR" | "en" {
  return language === null || language.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
}

/** Our words for a BCP 47 language such as Telegram's `language_code`; null: not known. */
export function textsFor(language: string | null): Texts {
  return chatLocale(language) === "pt-BR" ? PORTUGUESE : ENGLISH;
}
