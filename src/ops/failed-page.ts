import { messagePage } from "../../views/ops/bare.tsx";
import { currentRequestId } from "../platform/request-id.ts";
import { urlOf } from "../platform/request-url.ts";
import { htmlAnswer } from "./answer.ts";

/** Whether a request is for a page of the console that only operators get to see. */
export function isOpsPage(request: Request): boolean {
  const { pathname } = urlOf(request);
  return /^\/ops(\/|$)/.test(pathname) && pathname !== "/ops/login";
}

/** The console's page while the database cannot be asked. */
export function databaseAwayPage(css: string): Response {
  return htmlAnswer(
    (nonce) =>
      messagePage({
        nonce,
        css,
        title: "The database cannot be read",
        text: "Visitors are served all the same, and their visits are kept until it is back. `bun run ponte doctor` says what is missing.",
      }),
    { status: 503, headers: { "retry-after": "5" } },
  );
}

/** The console's page for what should not have gone wrong: where the log has it, and what mends it where that is known. */
export function failedPage(css: string, todo: string | undefined): Response {
  const id = currentRequestId();
  const found = id === undefined ? "The log says why." : `It stands in the log under request_id ${id}.`;
  return htmlAnswer(
    (nonce) =>
      messagePage({
        nonce,
        css,
        title: "This did not work",
        text: `${found} ${todo === undefined ? "Try again; `bun run ponte doctor` says whether something is missing." : `What to do: ${todo}`}`,
      }),
    { status: 500, headers: id === undefined ? {} : { "x-request-id": id } },
  );
}
