import { Elysia } from "elysia";
import { peerOf } from "../platform/peer.ts";
import { cookiesDetail, ownAddressDetail } from "./docs.ts";
import { createReportHandler, type ReceiveDeps } from "./receive-report.ts";

/** `POST /api/tracking/cookies`: what the browser knows of Meta's cookies, beaconed by the bridge page. */
export function cookiesPlugin(deps: ReceiveDeps) {
  const receive = createReportHandler(deps);
  return new Elysia({ name: "cookies" }).post(
    "/api/tracking/cookies",
    ({ request, server }) => receive(request, () => peerOf(request, server)),
    { parse: "none", detail: cookiesDetail() },
  );
}

interface OwnAddressDeps {
  /** Who asks: the TCP peer, or whom a trusted proxy names. */
  readonly clientAddress: { find(peer: string | null, forwardedFor: string | null): string | null };
}

/** `GET /api/tracking/ip`: the asker's own address, of which Meta's param builder makes the `_fbi` cookie. */
export function ownAddressPlugin({ clientAddress }: OwnAddressDeps) {
  return new Elysia({ name: "own-address" }).get(
    "/api/tracking/ip",
    ({ request, server }) => {
      const peer = peerOf(request, server);
      const address = clientAddress.find(peer, request.headers.get("x-forwarded-for"));
      const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
      return new Response(address, { status: address === null ? 204 : 200, headers });
    },
    { detail: ownAddressDetail() },
  );
}
