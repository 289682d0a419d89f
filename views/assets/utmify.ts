import { loadScript } from "./pixel.ts";

declare global {
  interface Window {
    pixelId?: string;
  }
}

/** Loads the UTMify pixel, which finds its id on the window. */
export function loadUtmify(pixelId: string): void {
  window.pixelId = pixelId;
  loadScript("https://cdn.utmify.com.br/scripts/pixel/pixel.js");
}
