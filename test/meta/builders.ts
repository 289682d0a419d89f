import type { GraphAnswer } from "../../src/meta/graph-client.ts";
import type { PaymentFacts, SellingBot } from "../../src/meta/payment-facts.ts";
import type { SessionFacts } from "../../src/meta/session-facts.ts";

/** A visit from an ad, on 10 May 2026 at noon UTC. */
export function session(over: Partial<SessionFacts> = {}): SessionFacts {
  return {
    trackingToken: "0196b9c01d2a7f3e8c4d5e6f7a8b9c0d",
    rootEventId: "evt_0196b9c01d2a7f3e8c4d5e6f7a8b9c0d",
    fbclid: "IwAR3xAbCdEfGhIjKlMnOpQrStUvWxYz",
    fbc: "fb.1.1778414400000.IwAR3xAbCdEfGhIjKlMnOpQrStUvWxYz",
    fbp: "fb.1.1778414400000.1234567890",
    clientIp: "2804:14c:65d1:8a2f::17",
    userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) [FBAN/FBIOS]",
    eventSourceUrl: "https://go.example.com/go/curso?utm_source=fb",
    utm: { utm_source: "fb", utm_campaign: "maio" },
    pageviewAt: new Date("2026-05-10T12:00:00.750Z"),
    consent: null,
    ...over,
  };
}

/** A paid R$ 97,00 course. */
export function payment(over: Partial<PaymentFacts> = {}): PaymentFacts {
  return {
    id: "0196b9c9aaaa7bbb8ccc9ddd0eee1fff",
    providerRef: "pi_3Qx",
    amountMinor: 9700,
    currency: "BRL",
    customerUserId: "cliente-17",
    customer: null,
    content: { ids: ["curso-1"], name: "Curso", type: "product" },
    createdAt: new Date("2026-05-10T12:05:00Z"),
    paidAt: new Date("2026-05-10T12:06:30Z"),
    ...over,
  };
}

export function sellingBot(over: Partial<SellingBot> = {}): SellingBot {
  return {
    userId: "4815162342",
    fallbackUrl: "https://t.me/ponte_demo_bot",
    starsUsdMinorPerThousand: null,
    ...over,
  };
}

export function answered(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): GraphAnswer {
  return {
    kind: "answered",
    status,
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
    durationMs: 12,
  };
}

/** SHA-256, worked out by another implementation than the one under test. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Buffer.from(digest).toString("hex");
}
