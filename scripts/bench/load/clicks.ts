import { BOT, OPEN_PATH } from "../seed.ts";
import { lastIds, type Place, rowsAfter } from "../servers/databases.ts";
import { rate, runWrk } from "./wrk.ts";

/** A click as a browser makes it, answered with the bridge page. @throws Error where it is answered with anything else */
export async function oneClick(url: string): Promise<Response> {
  const response = await fetch(`${url}${OPEN_PATH}?fbclid=IwZXh0bgNhZW0BMABhZGlkAasT&utm_source=facebook`, {
    headers: { "x-forwarded-proto": "https", host: "go.example.com", "x-forwarded-for": "177.45.10.20" },
    redirect: "manual",
  });
  const page = await response.clone().text();
  if (response.status !== 200 || !page.includes(`https://t.me/${BOT}?start=`)) {
    throw new Error(`a click was answered with ${response.status} and no link to the bot`);
  }
  return response;
}

/** Clicks, as many as are answered; every answer must be a page. */
export async function clicks(url: string, connections: number, seconds: number) {
  const args = [OPEN_PATH, String(Math.floor(Math.random() * 1e9))];
  const summary = await runWrk({ script: "go.lua", args, url, connections, seconds });
  if (summary.errors.status > 0) {
    throw new Error(`${summary.errors.status} of ${summary.requests} clicks were answered with an error`);
  }
  return summary;
}

/**
 * Clicks a second, each of which is in the database afterwards, with its event: wrk breaks off what is under way at
 * the end, so at most one visit a connection may be there that it counted no answer for.
 */
export async function durableClicks(
  place: Place,
  url: string,
  connections: number,
  seconds: number,
): Promise<number> {
  const before = await lastIds(place);
  const summary = await clicks(url, connections, seconds);
  const written = await settledRows(place, before);
  for (const [what, count] of Object.entries(written)) {
    if (count < summary.requests || count > summary.requests + connections) {
      throw new Error(`${summary.requests} clicks were answered, but ${count} ${what} were written`);
    }
  }
  return rate(summary);
}

/** A database may pause for so long before it commits what is still under way. */
const SETTLED_AFTER_MS = 500;

/** The rows written since, once no more are coming. */
async function settledRows(place: Place, before: { sessions: number; events: number }) {
  let seen = await rowsAfter(place, before);
  for (;;) {
    await Bun.sleep(SETTLED_AFTER_MS);
    const now = await rowsAfter(place, before);
    if (now.sessions === seen.sessions && now.events === seen.events) return now;
    seen = now;
  }
}
