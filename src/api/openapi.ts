import { openapi } from "@elysiajs/openapi";
import { Elysia } from "elysia";
import { API_KEY_SCHEME, openapiSchema } from "../platform/openapi.ts";
import { openapiDocument } from "./openapi-document.ts";
import { ReferencePage } from "./reference.tsx";
import { SCHEMAS } from "./schemas.ts";

const DESCRIPTION = [
  "From the ad's click to the Telegram bot, with every conversion reported once.",
  "Calls carry Authorization: Bearer <key>; make keys with `ponte api-key add` or in the console.",
  "Errors are application/problem+json; lists come in pages, and next_cursor asks for the next one.",
].join(" ");

/** Routes that are no API: pages, files, and what Telegram calls. */
const NOT_API = [/^\/ops/, /^\/assets/, "/favicon.ico", /^\/go\//, /^\/telegram\//, "/", "/openapi"];

/**
 * `GET /openapi`: the API of the whole app that it is used in, out of its zod schemas; a page for browsers, JSON for
 * programs. `GET /openapi/json` is always JSON.
 */
export function openapiPlugin({ version }: { readonly version: string }) {
  const document = openapi({
    // The pages that come with it load their scripts from another host.
    provider: null,
    documentation: {
      info: {
        title: "Ponte",
        version,
        description: DESCRIPTION,
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: "/" }],
      // An operation that asks for a key says so itself.
      security: [],
      components: {
        securitySchemes: { [API_KEY_SCHEME]: { type: "http", scheme: "bearer" } },
        schemas: answerSchemas(),
      },
    },
    exclude: { paths: NOT_API, methods: ["all", "options", "head"] },
  });
  // Made when somebody first asks, who finds the app with all its routes, and kept: anybody may ask, any number of times.
  const json = once(async () => (await document.handle(new Request("http://localhost/openapi/json"))).text());
  const page = once(async () => ReferencePage({ document: openapiDocument.parse(JSON.parse(await json())) }));
  const answerJson = async () =>
    new Response(await json(), { headers: { "content-type": "application/json", vary: "accept" } });

  return new Elysia({ name: "api.openapi" })
    .use(document)
    .get("/openapi/json", answerJson, { detail: { hide: true } })
    .get(
      "/openapi",
      async ({ request }) => {
        if (!request.headers.get("accept")?.includes("text/html")) return answerJson();
        return new Response(await page(), {
          headers: {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
            vary: "accept",
          },
        });
      },
      { detail: { hide: true } },
    );
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function answerSchemas() {
  return Object.fromEntries(
    Object.entries(SCHEMAS).map(([name, schema]) => [name, openapiSchema(schema, "output")]),
  );
}
