/** How a request ended, as its sender sees it. */
export type Outcome =
  | { readonly kind: "answered"; readonly status: number; readonly text: string }
  /** An honest 503, which says when to try again. */
  | { readonly kind: "refused" }
  /** The connection broke, or nothing came for so long that the server must be hanging. */
  | { readonly kind: "unanswered" };

const HANGING_MS = 20_000;

export async function send(url: string, init: RequestInit): Promise<Outcome> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(HANGING_MS) });
    const text = await response.text();
    if (response.status === 503 && response.headers.has("retry-after")) return { kind: "refused" };
    return { kind: "answered", status: response.status, text };
  } catch {
    return { kind: "unanswered" };
  }
}
