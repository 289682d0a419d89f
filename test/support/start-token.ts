/** The tracking token in a link to the bot, wherever in the text it stands; empty where there is none. */
export function startToken(text: string | null | undefined): string {
  return /\?start=([0-9a-f]{32})/.exec(text ?? "")?.[1] ?? "";
}
