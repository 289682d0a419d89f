import { jsonBody, problemAnswers, REFUSALS, textAnswer } from "../platform/openapi.ts";
import { cookieReportSchema } from "./report.ts";

/** The OpenAPI side of `POST /api/tracking/cookies`, out of the very schema that it goes by. */
export function cookiesDetail() {
  return {
    tags: ["Visitors"],
    summary: "Tell what the browser knows of Meta's cookies",
    description:
      "Beaconed by the bridge page, without a key. Fills what is missing and erases nothing; an unknown token is 204 as well. At most 4 kB; the content type may be text/plain.",
    requestBody: jsonBody(cookieReportSchema),
    responses: {
      204: { description: "Taken note of, or the token is unknown" },
      ...problemAnswers({
        400: "`errors` says what is not understood; sound cookies beside it are taken all the same",
        403: "Sent by a page of another site",
        413: REFUSALS[413],
        503: "Nothing was stored; try again",
      }),
    },
  };
}

/** The OpenAPI side of `GET /api/tracking/ip`. */
export function ownAddressDetail() {
  return {
    tags: ["Visitors"],
    summary: "Tell the asker's own address",
    description: "Asked by the bridge page, without a key, for Meta's param builder.",
    responses: {
      200: textAnswer("The address"),
      204: { description: "It is not known" },
    },
  };
}
