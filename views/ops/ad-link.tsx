/** @jsxImportSource @kitajs/html */
import { Copied } from "./copied.tsx";
import { TextField } from "./fields.tsx";
import { Banner, Card } from "./parts.tsx";
import type { AdLinkFacts } from "./pool-data.ts";

/** The link that ads point to, with the campaign's names in it. `action` is the page itself. */
export function AdLink({
  facts,
  action,
}: {
  readonly facts: AdLinkFacts;
  readonly action: string;
}): JSX.Element {
  const { url, parameters, link, qr, values, macros, isPublic } = facts;
  return (
    <Card
      title="Link for ads"
      lead="Meta fills in what stands in double braces when the ad is clicked; Ponte keeps it with the visit."
      id="link"
    >
      {isPublic ? null : (
        <Banner tone="warn">
          PUBLIC_URL is not set, so this link works on the server's own machine only.
        </Banner>
      )}
      <Copied label="The whole link" id="whole-link" text={link} />
      <details class="more">
        <summary>For Ads Manager: address and parameters apart</summary>
        <div class="stack">
          <Copied label="Website URL" id="bare-link" text={url} />
          <Copied label="URL parameters" id="link-parameters" text={parameters} />
        </div>
      </details>
      <details class="more">
        <summary>QR code, to try it on a phone</summary>
        <QrCode modules={qr} />
        <p class="hint">
          It has no campaign. Opening it counts as a visit, as every opening of the link does.
        </p>
      </details>
      <details class="more" open={values.some(({ error }) => error !== undefined)}>
        <summary>Other parameters</summary>
        <form method="get" action={`${action}#link`} class="filters">
          {values.map(({ name, value, error }) => (
            <TextField label={name} name={`link_${name}`} value={value} error={error} />
          ))}
          <button type="submit">Build the link</button>
        </form>
        <p class="hint" safe>{`Meta knows ${macros.join(", ")}. An empty field is left out.`}</p>
      </details>
    </Card>
  );
}

/** Dark squares on white, whatever the colours of the page: cameras want it so. */
function QrCode({ modules }: { readonly modules: AdLinkFacts["qr"] }): JSX.Element {
  const size = modules.length;
  const squares = modules.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])),
  );
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      width="220"
      height="220"
      role="img"
      aria-label="QR code of the link"
      shape-rendering="crispEdges"
    >
      <rect width={String(size)} height={String(size)} fill="#fff" />
      <path d={squares.join("")} fill="#000" />
    </svg>
  );
}
