import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../config.ts";
import { inDataDir } from "./setting-error.ts";

/**
 * The key that seals secrets: `APP_SECRET`, else one made once and kept in the data folder (mode 0600), where
 * every process of this machine finds it.
 */
export function appSecret(config: Pick<Config, "appSecret" | "dataDir">): Uint8Array {
  if (config.appSecret) return config.appSecret;
  const path = join(config.dataDir, "app-secret");
  return inDataDir(path, () => {
    if (!existsSync(path)) makeKey(path);
    return new Uint8Array(Buffer.from(readFileSync(path, "utf8").trim(), "base64"));
  });
}

function makeKey(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  try {
    // "wx" fails where another process was faster; its key is then the one we read.
    writeFileSync(path, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
  chmodSync(path, 0o600);
}
