/** @jsxImportSource @kitajs/html */
import type { Locale } from "../src/db/vocabulary.ts";
import { layout } from "./layout.tsx";
import { TEXTS } from "./texts.ts";

/** All of a bridge page that does not change from visit to visit. */
export interface BridgePage {
  readonly locale: Locale;
  readonly poolName: string;
  readonly botUsername: string;
  readonly pixelId: string | null;
  readonly utmifyPixelId: string | null;
  /** The pixel runs under Meta's Limited Data Use: for visitors who denied consent, where the operator chose so. */
  readonly limitedDataUse: boolean;
  /** Milliseconds after which the page goes on by itself; null waits for the visitor's tap. */
  readonly autoContinueMs: number | null;
  /** First-party addresses, with a content hash. */
  readonly assets: { readonly bridgeJs: string; readonly paramBuilderJs: string };
}

/** What a visit adds: both hex, and so harmless wherever they land. */
interface BridgeVisit {
  readonly trackingToken: string;
  readonly nonce: string;
}

const HEX = /^[0-9a-f]+$/;

/** Stand-ins for a visit's values: made anew in each process, so that no pool's name can hold one. */
const TOKEN = `token-${crypto.randomUUID()}`;
const NONCE = `nonce-${crypto.randomUUID()}`;

/** Limited Data Use as the pixel's picture takes it. Source: Meta, "Data Processing Options", image pixel. */
const LIMITED_DATA_USE = "&dpo=LDU&dpoco=0&dpost=0";

/**
 * Renders the page once and returns what fills a visit's token and nonce into it: the only work left for a visit
 * is joining strings. @throws TypeError where token or nonce is not hex.
 */
export function compileBridge(page: BridgePage): (visit: BridgeVisit) => string {
  const pieces = render(page).split(new RegExp(`(${TOKEN}|${NONCE})`));
  return ({ trackingToken, nonce }) => {
    if (!HEX.test(trackingToken) || !HEX.test(nonce)) throw new TypeError("token and nonce must be hex");
    let html = "";
    for (const piece of pieces) html += piece === TOKEN ? trackingToken : piece === NONCE ? nonce : piece;
    return html;
  };
}

/**
 * The page's Content-Security-Policy: our own scripts by nonce, the Meta Pixel, UTMify where the pool uses it,
 * Meta's beacon hosts, and nothing else. Where its beacon is too long for an address the pixel sends a form, into a frame;
 * `properties:` is where the Facebook and Instagram apps on Android tell Meta's scripts the click id.
 */
export function bridgeSecurityPolicy(nonce: string, withUtmify: boolean): string {
  const utmify = withUtmify ? " https://cdn.utmify.com.br" : "";
  const utmifyEvents = withUtmify ? " https://tracking.utmify.com.br" : "";
  return `default-src 'none'; script-src 'nonce-${nonce}' https://connect.facebook.net${utmify}; style-src 'nonce-${nonce}'; img-src 'self' https://www.facebook.com https://connect.facebook.net; connect-src 'self' https://www.facebook.com https://connect.facebook.net properties:${utmify}${utmifyEvents}; frame-src https://www.facebook.com; form-action https://www.facebook.com; base-uri 'none'; frame-ancestors 'none'`;
}

function render(page: BridgePage): string {
  const texts = TEXTS[page.locale].bridge;
  const { poolName, botUsername, pixelId } = page;
  return layout({
    locale: page.locale,
    nonce: NONCE,
    id: "bridge",
    title: poolName,
    head: (
      <>
        <link rel="preconnect" href="https://t.me" />
        {pixelId ? <link rel="preconnect" href="https://connect.facebook.net" /> : null}
        <Scripts page={page} />
      </>
    ),
    children: (
      <>
        <div class="mark" aria-hidden="true" safe>
          {initial(poolName)}
        </div>
        <h1 dir="auto" safe>
          {poolName}
        </h1>
        <p class="handle" safe>{`@${botUsername}`}</p>
        <p safe>{texts.lead}</p>
        <a class="go" id="start" href={`https://t.me/${botUsername}?start=${TOKEN}`} rel="noreferrer">
          <span safe>{texts.start}</span>
          <Arrow />
        </a>
        <p class="note" safe>
          {texts.note}
        </p>
        {pixelId ? <PixelPicture pixelId={pixelId} limitedDataUse={page.limitedDataUse} /> : null}
      </>
    ),
  });
}

function Scripts({ page }: { readonly page: BridgePage }): JSX.Element {
  return (
    <>
      <script nonce={NONCE} src={page.assets.paramBuilderJs} id="builder" async />
      <script
        nonce={NONCE}
        src={page.assets.bridgeJs}
        id="ponte"
        defer
        data-token={TOKEN}
        data-event-id={`evt_${TOKEN}`}
        data-pixel-id={page.pixelId ?? undefined}
        data-limited-data-use={page.limitedDataUse ? "yes" : undefined}
        data-utmify-pixel-id={page.utmifyPixelId ?? undefined}
        data-auto-continue-ms={page.autoContinueMs === null ? undefined : String(page.autoContinueMs)}
      />
    </>
  );
}

function Arrow(): JSX.Element {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path
        d="M4 12h15M13 6l6 6-6 6"
        stroke="currentColor"
        stroke-width="2.4"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

/** With scripts off the browser's half of the PageView is this picture, under the same event id. */
function PixelPicture(props: { readonly pixelId: string; readonly limitedDataUse: boolean }): JSX.Element {
  const { pixelId, limitedDataUse } = props;
  return (
    <noscript>
      <img
        hidden
        alt=""
        width="1"
        height="1"
        src={`https://www.facebook.com/tr?id=${encodeURIComponent(pixelId)}&ev=PageView&eid=evt_${TOKEN}${limitedDataUse ? LIMITED_DATA_USE : ""}&noscript=1`}
      />
    </noscript>
  );
}

/** The first letter of the pool's name, as its mark. */
function initial(name: string): string {
  return (/[\p{L}\p{N}]/u.exec(name)?.[0] ?? "•").toUpperCase();
}
