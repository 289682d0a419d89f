import { encode } from "uqr";
import type { AdLinkFacts } from "../../../views/ops/pool-data.ts";
import type { Config } from "../../config.ts";
import { adLink, unknownMacros } from "../../pools/ad-link.ts";
import type { PoolView } from "../../pools/pool-view.ts";

/** Of white around the code, in squares: cameras need four. */
const QR_MARGIN = 4;

/** The pool's link for ads, with the parameters that the address asks for as `link_<name>`. */
export function adLinkFacts(config: Config, pool: PoolView, asked: URLSearchParams): AdLinkFacts {
  const { values, ...link } = adLink(config, pool, (name) => asked.get(`link_${name}`));
  return {
    ...link,
    values: Object.entries(values).map(([name, value]) => ({ name, value, error: macroFault(value) })),
    qr: encode(link.url, { border: QR_MARGIN }).data,
  };
}

function macroFault(value: string): string | undefined {
  const [macro] = unknownMacros(value);
  return macro === undefined ? undefined : `Meta does not fill in ${macro}`;
}
