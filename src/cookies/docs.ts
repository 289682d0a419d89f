import { jsonSchemaOf } from "../platform/json-schema.ts";
import { cookieReportSchema } from "./report.ts";

/** The OpenAPI side of `POST /api/tracking/cookies`, out of the very schema that it goes by. */
export function cookiesDetail() {
  const problem = {
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
  const schema = jsonSchemaOf(cookieReportSchema, "input");
  const example = {
    tracking_token: "0193f2a5c1d27e3f8a4b5c6d7e8f9012",
    _fbp: "fb.1.1740830400000.1234567890",
    _fbc: "fb.1.1740830400000.IwAR0abcDEF",
  };
  return {
    tags: ["Visitors"],
    summary: "Tell what the browser knows of Meta's cookies",
    description:
      "Beaconed by the bridge page, without a key. Fills what is missing and erases nothing; an unknown token is 204 as well. At most 4 kB; the content type may be text/plain.",
    requestBody: { required: true, content: { "application/json": { schema: { ...schema, example } } } },
    responses: {
      204: { description: "Taken note of, or the token is unknown" },
      400: {
        description: "`errors` says what is not understood; sound cookies beside it are taken all the same",
        ...problem,
      },
      403: { description: "Sent by a page of another site", ...problem },
      413: { description: "The body is too large", ...problem },
      503: { description: "Nothing was stored; try again", ...problem },
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
      200: {
        description: "The address, as text",
        content: { "text/plain": { schema: { type: "string" as const } } },
      },
      204: { description: "It is not known" },
    },
  };
}
