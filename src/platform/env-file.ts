import { readFileSync, statSync } from "node:fs";
import { SettingError } from "./setting-error.ts";

/**
 * Bun reads `.env` before anything of ours runs, and nothing of one in UTF-16, as Windows writes files: each setting would be
 * missed in silence.
 *
 * @throws SettingError where the one in this folder is so
 */
export function refuseUnreadEnvFile(): void {
  if (!isUtf16()) return;
  throw new SettingError(".env is text in UTF-16, and nothing of it is read", "Save it as UTF-8.", undefined);
}

function isUtf16(): boolean {
  try {
    // A pipe gives what it has to Bun, and would keep us waiting. Each letter of ours has a zero beside it there; a mark may
    // come first. A zero further on is in a value, and Bun reads on.
    return statSync(".env").isFile() && readFileSync(".env").subarray(0, 4).includes(0);
  } catch {
    // There is none, or it was read for us by somebody who may, as systemd.
    return false;
  }
}
