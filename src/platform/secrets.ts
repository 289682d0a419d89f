import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const ALGORITHM = "aes-256-gcm";
const VERSION = "v1";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What something is sealed for: the column that it stands in, or `ops.device`, the cookie of a browser that logged in. */
export type SealPurpose =
  | "bots.payment_token"
  | "bots.token"
  | "bots.webhook_secret"
  | "ops.device"
  | "pools.meta_access_token";

/** Seals secrets and opens them again, for the same purpose both times. */
export interface Secrets {
  seal(plain: string, purpose: SealPurpose): string;
  /** @throws SealBrokenError when the value was sealed with another key or for another purpose. */
  open(sealed: string, purpose: SealPurpose): string;
}

/** What every such error says; `outbox/resume-sealed.ts` finds the routes by it that were paused for one. */
export const OTHER_SECRET = "is not the one it was sealed with";

export class SealBrokenError extends Error {
  constructor(purpose: SealPurpose, cause?: unknown) {
    super(
      `The stored secret for ${purpose} cannot be opened: APP_SECRET, or the key in DATA_DIR, ${OTHER_SECRET}. Start with the old one, or set the secret again.`,
      { cause },
    );
    this.name = "SealBrokenError";
  }
}

/** Secrets that stay open at once; tokens of pools and bots are asked for again with every request to the other side. */
const MOST_OPENED = 1_000;

/** AES-256-GCM under a 32-byte key; the purpose is authenticated, so that a sealed value cannot be moved to another column. */
export function createSecrets(key: Uint8Array): Secrets {
  const opened = new Map<string, string>();
  return {
    seal(plain, purpose) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(purpose));
      const sealed = Buffer.concat([iv, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${sealed.toString("base64url")}`;
    },
    open(sealed, purpose) {
      const name = `${purpose} ${sealed}`;
      const known = opened.get(name);
      if (known !== undefined) return known;
      const [version, body = ""] = sealed.split(".");
      const bytes = Buffer.from(body, "base64url");
      if (version !== VERSION || bytes.length < IV_BYTES + TAG_BYTES) throw new SealBrokenError(purpose);
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const plain = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
        const text = Buffer.concat([plain, decipher.final()]).toString("utf8");
        if (opened.size >= MOST_OPENED) opened.clear();
        opened.set(name, text);
        return text;
      } catch (cause) {
        throw new SealBrokenError(purpose, cause);
      }
    },
  };
}
