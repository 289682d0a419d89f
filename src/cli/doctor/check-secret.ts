import { existsSync } from "node:fs";
import { keyFile } from "../../platform/app-secret.ts";
import { whoSealed } from "../who-sealed.ts";
import { bad, type Finding, warning } from "./finding.ts";
import type { OutsideDeps } from "./outside-deps.ts";

const NAME = "APP_SECRET";

/** Where several machines may share the database, they need one key: the one that has sealed tokens, where there is one. */
export async function checkSecret({ db, secrets, config }: OutsideDeps): Promise<Finding[]> {
  if (config.appSecret !== undefined || config.sqliteFile !== null) return [];
  const path = keyFile(config);
  if (!existsSync(path)) {
    return [
      warning(
        NAME,
        "is not set, and this machine has no key of its own yet",
        "Set it, on every machine that uses this database, to the one that sealed the tokens there; where there are none, to a new one (openssl rand -base64 32).",
      ),
    ];
  }
  const isOwn = `is not set: this machine keeps its own in ${path}`;
  switch (await whoSealed(db, secrets)) {
    case "this key":
      return [
        warning(
          NAME,
          isOwn,
          "It has sealed tokens: set APP_SECRET to it, not to a new one, on every machine that uses this database.",
        ),
      ];
    case "another":
      return [
        bad(
          NAME,
          `${isOwn}, which opens none of the tokens`,
          "Set APP_SECRET, on every machine that uses this database, to the key that sealed them, in another machine's app-secret or a backup. Where that is lost, give the tokens anew, as said below.",
        ),
      ];
    case "nobody":
      return [
        warning(
          NAME,
          isOwn,
          "No token is sealed yet: set APP_SECRET to it, on every machine that uses this database.",
        ),
      ];
  }
}
