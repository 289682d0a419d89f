import type { Charge } from "./providers-charges.ts";

/** The stood-in page where a person pays. */
export function payPage(charge: Charge): Response {
  const text = (value: string) => Bun.escapeHTML(value);
  const isOpen = charge.state === "created" || charge.state === "processing";
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sandbox checkout</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { margin: 15vh auto 0; max-width: 24rem; padding: 0 1rem }
  button { font: inherit; padding: .6rem 1.2rem }
</style>
<h1>Sandbox checkout</h1>
<p>${text(charge.title)}</p>
<p><strong>${text(charge.amount)} ${text(charge.currency)}</strong> in ${text(charge.provider)}'s units; no money moves.</p>
${isOpen ? `<form method="post"><button>Pay</button></form>` : `<p>This is ${text(charge.state)}.</p>`}
</html>
`;
  return new Response(body, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *",
    },
  });
}
