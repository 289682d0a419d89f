import type { Config } from "../config.ts";
import {
  adLinkValues,
  adParameters,
  META_MACROS,
  unknownMacros,
  visitorLink,
  withParameters,
} from "../pools/ad-link.ts";
import type { PoolView } from "../pools/pool-view.ts";

/** A pool's link for ads, whole and in the two pieces that Ads Manager asks for. */
export interface LinkAnswer {
  readonly link: string;
  readonly url: string;
  readonly url_parameters: string;
  readonly gate: { readonly name: string; readonly value: string } | null;
  readonly values: Readonly<Record<string, string>>;
  /** What Meta fills in, and what stands in the values though it does not. */
  readonly macros: readonly string[];
  readonly unknown_macros: readonly string[];
  /** False where PUBLIC_URL is not set: the link works on the server itself only. */
  readonly is_public: boolean;
}

/** Pure. `asked` are parameters by name that shall be other than usual. */
export function linkAnswer(
  config: Pick<Config, "publicUrl" | "port">,
  pool: PoolView,
  asked: ReadonlyMap<string, string>,
): LinkAnswer {
  const url = visitorLink(config, pool);
  const values = adLinkValues(pool, (name) => asked.get(name));
  const parameters = adParameters(values);
  return {
    link: withParameters(url, parameters),
    url,
    url_parameters: parameters,
    gate: pool.meta_cloaker_enabled
      ? { name: pool.meta_cloaker_param_name, value: pool.meta_cloaker_param_value ?? "" }
      : null,
    values,
    macros: META_MACROS.map((name) => `{{${name}}}`),
    unknown_macros: Object.values(values).flatMap(unknownMacros),
    is_public: config.publicUrl !== undefined,
  };
}
