import { type FrameProps, frame } from "../../views/ops/frame.tsx";
import { htmlAnswer } from "./answer.ts";
import type { Operator } from "./guard.ts";
import { noteShown } from "./note.ts";

interface PageDraft extends Omit<FrameProps, "facts" | "nonce"> {
  readonly status?: number;
}

/** A whole page of the console, in its frame. */
export function opsPage(operator: Operator, { status = 200, ...draft }: PageDraft): Response {
  const headers: Record<string, string> =
    operator.frame.note === null ? {} : { "set-cookie": noteShown(operator.secure) };
  return htmlAnswer((nonce) => frame({ ...draft, facts: operator.frame, nonce }), { status, headers });
}
