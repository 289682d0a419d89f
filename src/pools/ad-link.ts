import type { Config } from "../config.ts";
import type { PoolView } from "./pool-view.ts";

/** What Meta fills into a link when an ad is clicked (Ads Manager, "URL dynamic parameters"). */
const META_MACROS = [
  "campaign.name",
  "campaign.id",
  "adset.name",
  "adset.id",
  "ad.name",
  "ad.id",
  "placement",
  "site_source_name",
] as const;

/** The campaign parameters that every visit keeps, with what Facebook's ads are told apart by. */
export const FACEBOOK_UTM = {
  utm_source: "facebook",
  utm_campaign: "{{campaign.name}}",
  utm_medium: "{{adset.name}}",
  utm_content: "{{ad.name}}",
  utm_term: "{{placement}}",
} as const;

/** Longer values of a link's parameters are cut. */
const LONGEST_LINK_VALUE = 300;

const MACRO = /(\{\{[^{}]*\}\})/;

/** A pool's link for ads, whole and in the two pieces that Ads Manager asks for. */
export interface AdLink {
  readonly link: string;
  /** As visitors use it, with the gate's parameter. */
  readonly url: string;
  readonly parameters: string;
  /** The parameters by name, empty ones too. */
  readonly values: Readonly<Record<string, string>>;
  /** What Meta fills in, with its braces. */
  readonly macros: readonly string[];
  /** False where PUBLIC_URL is not set: the link works on the server itself only. */
  readonly isPublic: boolean;
}

type GatedPool = Pick<
  PoolView,
  "slug" | "meta_cloaker_enabled" | "meta_cloaker_param_name" | "meta_cloaker_param_value"
>;

/** Pure. `asked` says which parameters, by name, shall be other than usual. */
export function adLink(
  config: Pick<Config, "publicUrl" | "port">,
  pool: GatedPool & Pick<PoolView, "capture_params">,
  asked: (name: string) => string | null | undefined,
): AdLink {
  const url = visitorLink(config, pool);
  const values = adLinkValues(pool, asked);
  const parameters = adParameters(values);
  return {
    link: withParameters(url, parameters),
    url,
    parameters,
    values,
    macros: META_MACROS.map((name) => `{{${name}}}`),
    isPublic: config.publicUrl !== undefined,
  };
}

/** Where visitors come in; without PUBLIC_URL this machine's own address, which is of use on this machine only. */
export function baseUrl({ publicUrl, port }: Pick<Config, "publicUrl" | "port">): string {
  return publicUrl ?? `http://localhost:${port}`;
}

/** The link that lets a visitor in, with the gate's parameter where the pool asks for one. */
export function visitorLink(config: Pick<Config, "publicUrl" | "port">, pool: GatedPool): string {
  // The rules of both take characters only that need no encoding.
  const gate = pool.meta_cloaker_enabled
    ? `?${pool.meta_cloaker_param_name}=${pool.meta_cloaker_param_value ?? ""}`
    : "";
  return `${baseUrl(config)}/go/${pool.slug}${gate}`;
}

/**
 * The parameters behind the pool's link: Facebook's usual ones and, empty, what else the pool keeps; `asked` says
 * otherwise for any of them.
 */
function adLinkValues(
  pool: Pick<PoolView, "capture_params" | "meta_cloaker_param_name">,
  asked: (name: string) => string | null | undefined,
): Record<string, string> {
  const kept = pool.capture_params.filter((name) => name !== pool.meta_cloaker_param_name);
  const usual = new Map<string, string>(Object.entries(FACEBOOK_UTM));
  for (const name of kept) usual.set(name, "");
  return Object.fromEntries(
    [...usual].map(([name, value]) => [name, asked(name)?.trim().slice(0, LONGEST_LINK_VALUE) ?? value]),
  );
}

/**
 * `name=value&…` for the ads of Facebook: values are encoded, but for Meta's macros, which it knows by their bare
 * braces. What is empty is left out.
 */
function adParameters(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodedAroundMacros(value)}`)
    .join("&");
}

/** The link with those parameters behind it. */
function withParameters(link: string, parameters: string): string {
  if (parameters === "") return link;
  return `${link}${link.includes("?") ? "&" : "?"}${parameters}`;
}

/** Macros in these values that Meta leaves as they are, misspelt ones for the most part. */
export function unknownMacros(value: string): string[] {
  const known = new Set<string>(META_MACROS.map((name) => `{{${name}}}`));
  return macroPieces(value).filter((piece) => MACRO.test(piece) && !known.has(piece));
}

function encodedAroundMacros(value: string): string {
  return macroPieces(value)
    .map((piece) => (MACRO.test(piece) ? bareBraces(piece) : encodeURIComponent(piece)))
    .join("");
}

function macroPieces(value: string): string[] {
  return value.toWellFormed().split(MACRO);
}

function bareBraces(macro: string): string {
  return `{{${encodeURIComponent(macro.slice(2, -2))}}}`;
}
