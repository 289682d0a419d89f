/** Longest answer read, in characters. Meta's, Telegram's and payment providers' are far shorter; what is longer is none of theirs. */
export const LONGEST_ANSWER = 1_048_576;

/** An answer's body as text. What comes after `LONGEST_ANSWER` characters is never downloaded. */
export async function readAnswer(response: Response): Promise<{ text: string; isCut: boolean }> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (reader !== undefined && text.length <= LONGEST_ANSWER) {
    const { value, done } = await reader.read();
    if (done) return { text: text + decoder.decode(), isCut: false };
    text += decoder.decode(value, { stream: true });
  }
  await reader?.cancel();
  return { text: text.slice(0, LONGEST_ANSWER), isCut: reader !== undefined };
}
