/** @jsxImportSource @kitajs/html */
/// <reference types="@kitajs/html/htmx.d.ts" />
import type { Children } from "@kitajs/html";
import type { FrameFacts } from "./facts.ts";
import { Head } from "./head.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { Banner } from "./parts.tsx";
import { ZoneChooser } from "./zone.tsx";

export interface FrameProps {
  readonly facts: FrameFacts;
  readonly nonce: string;
  /** Of the window; the page's own heading comes with `children` (see `PageHead`). */
  readonly title: string;
  readonly section: Section;
  /** The page has charts (`Chart`). */
  readonly withCharts?: boolean;
  readonly children: Children;
}

const SECTIONS = [
  { section: "overview", href: "/ops", label: "Overview", icon: "overview" },
  { section: "outbox", href: "/ops/outbox", label: "Outbox", icon: "outbox" },
  { section: "visitors", href: "/ops/visitors", label: "Visitors", icon: "visitors" },
  { section: "pools", href: "/ops/pools", label: "Pools", icon: "pools" },
  { section: "bots", href: "/ops/bots", label: "Bots", icon: "bots" },
  { section: "keys", href: "/ops/keys", label: "API keys", icon: "keys" },
  { section: "audit", href: "/ops/audit", label: "Audit", icon: "audit" },
] as const satisfies readonly { section: string; href: string; label: string; icon: IconName }[];

export type Section = (typeof SECTIONS)[number]["section"] | "none";

/** htmx without anything that a strict policy forbids: no eval, no scripts in answers, no styles of its own. */
const HTMX_CONFIG = JSON.stringify({
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  timeout: 15_000,
});

/** A page of the console: navigation, what must not be overlooked, and the page itself. */
export function frame({ facts, nonce, title, section, withCharts = false, children }: FrameProps): string {
  const { assets, csrfToken, testing, note } = facts;
  return `<!doctype html>${(
    <html lang="en">
      <Head nonce={nonce} css={assets.css} title={title}>
        <meta name="htmx-config" content={HTMX_CONFIG} />
        <script src={assets.htmxJs} nonce={nonce} defer />
        <script src={assets.consoleJs} nonce={nonce} defer />
        {withCharts ? <script src={assets.chartsJs} nonce={nonce} defer /> : null}
      </Head>
      <body hx-headers={JSON.stringify({ "x-csrf-token": csrfToken })}>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="side">
          <a class="brand" href="/ops">
            <Icon name="bridge" size={20} />
            <span>Ponte</span>
          </a>
          <nav aria-label="Console">
            <ul>
              {SECTIONS.map((item) => (
                <li>
                  <a href={item.href} aria-current={item.section === section ? "page" : undefined}>
                    <Icon name={item.icon} />
                    <span>{item.label}</span>
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <div class="side-foot">
            <ZoneChooser {...facts} />
            <LogOut csrfToken={csrfToken} />
          </div>
        </header>
        <main id="main" tabindex="-1">
          {testing.length > 0 ? <TestingBanner testing={testing} /> : null}
          {note === null ? null : (
            <Banner tone={note.tone} announced>
              <span safe>{note.text}</span>
            </Banner>
          )}
          {children}
        </main>
        <div class="lost" id="lost" role="status" hidden>
          The server did not answer; these numbers may be old. Trying again…
        </div>
      </body>
    </html>
  )}`;
}

/** Meta counts events with a test code like any other, and shows them as tests as well: a code is not a way to try things. */
function TestingBanner({ testing }: Pick<FrameFacts, "testing">): JSX.Element {
  return (
    <Banner tone="warn" title="Test code set: events also show under Test events; Meta still counts them">
      {testing.map(({ id, slug, code }, i) => (
        <>
          {i > 0 ? ", " : ""}
          <a href={`/ops/pools/${id}`} safe>
            {slug}
          </a>{" "}
          (<code safe>{code}</code>)
        </>
      ))}
      . Remove the code when you are done looking at them.
    </Banner>
  );
}

function LogOut({ csrfToken }: { readonly csrfToken: string }): JSX.Element {
  return (
    <details class="menu">
      <summary>Log out…</summary>
      <form method="post" action="/ops/logout">
        <input type="hidden" name="_csrf" value={csrfToken} />
        <button type="submit">Log out here</button>
        <p class="hint">Or end the session of every browser, this one too:</p>
        <button type="submit" class="danger" name="everywhere" value="1">
          Log out everywhere
        </button>
      </form>
    </details>
  );
}
