import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "../config.ts";
import { inDataDir, SettingError } from "./setting-error.ts";

const KEY_BYTES = 32;

type Place = Pick<Config, "appSecret" | "dataDir">;

/**
 * The key that seals secrets: `APP_SECRET`, else one made once and kept in the data folder (mode 0600), where
 * every process of this machine finds it.
 *
 * @param onMade told the whole path of one that was made just now; a backup without it cannot open what it sealed
 */
export function appSecret(config: Place, onMade: (path: string) => void = () => undefined): Uint8Array {
  return findAppSecret(config) ?? inDataDir(keyFile(config), () => makeKey(resolve(keyFile(config)), onMade));
}

/** The key, for whoever only opens what was sealed with it; null where none was made yet. */
export function findAppSecret(config: Place): Uint8Array | null {
  if (config.appSecret) return config.appSecret;
  const path = keyFile(config);
  return existsSync(path) ? inDataDir(path, () => readKey(path)) : null;
}

/** Where a key is kept that we made ourselves. */
export function keyFile({ dataDir }: Place): string {
  return join(dataDir, "app-secret");
}

function readKey(path: string): Uint8Array {
  const key = new Uint8Array(Buffer.from(readFileSync(path, "utf8").trim(), "base64"));
  if (key.length === KEY_BYTES) return key;
  throw new SettingError(
    `DATA_DIR: ${path} holds no key of ${KEY_BYTES} bytes in base64`,
    "Put back the one of your backup; without one, delete the file, and type the tokens of pixels and bots again.",
    undefined,
  );
}

/** The file is there whole or not at all: a key of which a full disk took half, or nothing, would stay. */
function makeKey(path: string, onMade: (path: string) => void): Uint8Array {
  let isOurs = false;
  mkdirSync(dirname(path), { recursive: true });
  // Not by the process' number: in containers that share a folder each is the first.
  const whole = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    const text = `${randomBytes(KEY_BYTES).toString("base64")}\n`;
    writeFileSync(whole, text, { mode: 0o600, flag: "wx", flush: true });
    isOurs = giveName(whole, path);
  } finally {
    rmSync(whole, { force: true });
  }
  chmodSync(path, 0o600);
  if (isOurs) onMade(path);
  return readKey(path);
}

/** Whether it got it: where another process was faster, its key stays. A file system without second names moves the first. */
function giveName(file: string, name: string): boolean {
  try {
    linkSync(file, name);
  } catch {
    if (existsSync(name)) return false;
    renameSync(file, name);
  }
  return true;
}
