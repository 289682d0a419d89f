import type { Config } from "../config.ts";
import { type AdLink, adLink, unknownMacros } from "../pools/ad-link.ts";
import type { PoolView } from "../pools/pool-view.ts";

/** A pool's link for ads as the API tells it. */
export interface LinkAnswer extends Pick<AdLink, "link" | "url" | "values" | "macros"> {
  readonly url_parameters: string;
  readonly gate: { readonly name: string; readonly value: string } | null;
  /** What stands in the values as a macro and is none of Meta's. */
  readonly unknown_macros: readonly string[];
  readonly is_public: boolean;
}

/** Pure. `asked` are parameters by name that shall be other than usual. */
export function linkAnswer(
  config: Pick<Config, "publicUrl" | "port">,
  pool: PoolView,
  asked: ReadonlyMap<string, string>,
): LinkAnswer {
  const { link, url, parameters, values, macros, isPublic } = adLink(config, pool, (name) => asked.get(name));
  return {
    link,
    url,
    url_parameters: parameters,
    gate: pool.meta_cloaker_enabled
      ? { name: pool.meta_cloaker_param_name, value: pool.meta_cloaker_param_value ?? "" }
      : null,
    values,
    macros,
    unknown_macros: Object.values(values).flatMap(unknownMacros),
    is_public: isPublic,
  };
}
