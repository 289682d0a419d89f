import { isbot } from "isbot";
import type { RefusalReason } from "../db/vocabulary.ts";
import { equalInConstantTime } from "../platform/digests.ts";
import type { Gate } from "../pools/pool.ts";

type GateVerdict =
  | { readonly kind: "admitted" }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

const ADMITTED: GateVerdict = { kind: "admitted" };

/**
 * May this request in? It needs the pool's secret link parameter where the pool asks for one, and must not call
 * itself automated where the pool refuses that. Who is refused is told so, with one page for both reasons.
 */
export function gateVerdict(
  request: { query: { get(name: string): string | null | undefined }; userAgent: string | null },
  gate: Gate,
): GateVerdict {
  if (gate.param) {
    const given = request.query.get(gate.param.name) ?? "";
    if (!equalInConstantTime(given, gate.param.value)) return { kind: "refused", reason: "param" };
  }
  if (gate.blockAutomated && isbot(request.userAgent)) return { kind: "refused", reason: "automated" };
  return ADMITTED;
}
