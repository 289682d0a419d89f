/** @jsxImportSource @kitajs/html */
import type { FrameFacts } from "./facts.ts";

/** What operators of such ads most often want; the installation's zone and the browser's join them. */
const COMMON_ZONES = [
  "UTC",
  "America/Sao_Paulo",
  "America/Manaus",
  "America/Argentina/Buenos_Aires",
  "America/Bogota",
  "America/Mexico_City",
  "America/New_York",
  "America/Los_Angeles",
  "Europe/Lisbon",
  "Europe/Madrid",
  "Asia/Dubai",
  "Asia/Kolkata",
];

/** Says in which time zone times are shown, and lets the operator choose another. */
export function ZoneChooser({ csrfToken, path, zone, homeZone }: FrameFacts): JSX.Element {
  const zones = [...new Set([homeZone, zone, ...COMMON_ZONES])];
  return (
    <form method="post" action="/ops/zone" class="zone">
      <input type="hidden" name="_csrf" value={csrfToken} />
      <input type="hidden" name="back" value={path} />
      <label for="zone">Times in</label>
      <select id="zone" name="zone" data-submits data-browser-zone>
        {zones.map((name) => (
          <option value={name} selected={name === zone} safe>
            {name.replaceAll("_", " ")}
          </option>
        ))}
      </select>
      <button type="submit" class="quiet" data-without-js>
        Set
      </button>
    </form>
  );
}
