import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../config.ts";
import { inDataDir } from "./setting-error.ts";

type Place = Pick<Config, "appSecret" | "dataDir">;

/**
 * The key that seals secrets: `APP_SECRET`, else one made once and kept in the data folder (mode 0600), where
 * every process of this machine finds it.
 */
export function appSecret(config: Place): Uint8Array {
  return findAppSecret(config) ?? inDataDir(keyFile(config), () => makeKey(keyFile(config)));
}

/** The key, for whoever only opens what was sealed with it; null where none was made yet. */
export function findAppSecret(config: Place): Uint8Array | null {
  if (config.appSecret) return config.appSecret;
  const path = keyFile(config);
  return existsSync(path) ? inDataDir(path, () => readKey(path)) : null;
}

function keyFile({ dataDir }: Place): string {
  return join(dataDir, "app-secret");
}

function readKey(path: string): Uint8Array {
  return new Uint8Array(Buffer.from(readFileSync(path, "utf8").trim(), "base64"));
}

function makeKey(path: string): Uint8Array {
  mkdirSync(dirname(path), { recursive: true });
  try {
    // "wx" fails where another process was faster; its key is then the one we read.
    writeFileSync(path, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
  chmodSync(path, 0o600);
  return readKey(path);
}
