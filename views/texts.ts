import type { Locale } from "../src/db/vocabulary.ts";

/** What the visitors' pages say. */
interface Texts {
  readonly bridge: {
    readonly lead: string;
    readonly start: string;
    readonly note: string;
  };
  readonly refused: { readonly title: string; readonly text: string };
  readonly notFound: { readonly title: string; readonly text: string };
  readonly tooMany: { readonly title: string; readonly text: string };
  readonly unavailable: { readonly title: string; readonly text: string };
}

export const TEXTS: Readonly<Record<Locale, Texts>> = {
  "pt-BR": {
    bridge: {
      lead: "Falta só um toque. A conversa continua no Telegram.",
      start: "Começar no Telegram",
      note: "O botão abre o aplicativo do Telegram. Nada é cobrado por abrir a conversa.",
    },
    refused: {
      title: "Acesso não permitido",
      text: "Este endereço só atende quem chega pelo link do anúncio. Abra o anúncio e toque no link outra vez.",
    },
    notFound: {
      title: "Página não encontrada",
      text: "Não há nada neste endereço. Confira se o link foi copiado por inteiro.",
    },
    tooMany: {
      title: "Muitos acessos",
      text: "Esta conexão fez acessos demais em pouco tempo. Tente de novo mais tarde.",
    },
    unavailable: {
      title: "Indisponível no momento",
      text: "Não conseguimos abrir a conversa agora. Tente de novo em alguns segundos.",
    },
  },
  en: {
    bridge: {
      lead: "One tap to go. The conversation continues on Telegram.",
      start: "Start on Telegram",
      note: "The button opens the Telegram app. Opening the conversation costs nothing.",
    },
    refused: {
      title: "Access not allowed",
      text: "This address only serves people who come through the ad's link. Open the ad and tap its link again.",
    },
    notFound: {
      title: "Page not found",
      text: "There is nothing at this address. Check that the link was copied whole.",
    },
    tooMany: {
      title: "Too many visits",
      text: "This connection has made too many visits in a short time. Try again later.",
    },
    unavailable: {
      title: "Unavailable right now",
      text: "We could not open the conversation. Try again in a few seconds.",
    },
  },
};
