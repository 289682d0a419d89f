/** Whom the sandbox stands for, each with faults of its own. */
type Part = "meta" | "telegram" | "providers";

const FAULTS = { meta: "/faults", telegram: "/telegram/faults", providers: "/providers/faults" } as const;

/** A running sandbox, wherever it runs. */
interface Sandbox {
  readonly url: string;
}

/**
 * Asks a sandbox something over its own API; answers its JSON.
 *
 * @throws where it refuses: a test whose fault was never there would pass
 */
export async function askSandbox(
  { url }: Sandbox,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
) {
  const headers = { "content-type": "application/json" };
  const sent = body && { headers, body: JSON.stringify(body) };
  const response = await fetch(url + path, { method, ...sent });
  const text = await response.text();
  if (!response.ok) throw new Error(`the sandbox answered ${path} with ${response.status}: ${text}`);
  return text === "" ? null : JSON.parse(text);
}

/** From here on a part of the sandbox fails, in the way and as often as the fault says. */
export function addFault(sandbox: Sandbox, part: Part, fault: object) {
  return askSandbox(sandbox, "POST", FAULTS[part], fault);
}

export function clearFaults(sandbox: Sandbox, part: Part) {
  return askSandbox(sandbox, "DELETE", FAULTS[part]);
}

/** Tells the sandbox's Telegram that a token is this bot's. */
export function registerBot(sandbox: Sandbox, bot: { readonly token: string; readonly username: string }) {
  return askSandbox(sandbox, "POST", "/telegram/bots", bot);
}
