import { loadReporter } from "./reporter.ts";

declare global {
  interface Window {
    pixelId?: string;
  }
}

/** Loads the UTMify pixel, which finds its id on the window. Resolves when it has reported, or cannot. */
export function loadUtmify(pixelId: string): Promise<void> {
  window.pixelId = pixelId;
  return loadReporter(
    "https://cdn.utmify.com.br/scripts/pixel/pixel.js",
    /^https:\/\/tracking\.utmify\.com\.br\//,
  );
}
