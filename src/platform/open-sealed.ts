import { SealBrokenError, type SealPurpose, type Secrets } from "./secrets.ts";

/** It cannot be opened: another APP_SECRET sealed it, or nobody of ours did. */
export interface Sealed {
  readonly kind: "sealed";
  readonly reason: string;
}

/** What another APP_SECRET sealed cannot be opened: that is something to tell the operator, not a fault of ours. */
export function openSealed(
  secrets: Secrets,
  sealed: string,
  purpose: SealPurpose,
): { readonly kind: "opened"; readonly text: string } | Sealed {
  try {
    return { kind: "opened", text: secrets.open(sealed, purpose) };
  } catch (error) {
    if (error instanceof SealBrokenError) return { kind: "sealed", reason: error.message };
    throw error;
  }
}
