import { z } from "zod";

const schema = z.looseObject({});
const answers = z.record(
  z.string(),
  z.object({ content: z.record(z.string(), z.object({ schema })).optional() }),
);
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: answers.default({}) }))),
  components: z.object({ schemas: z.record(z.string(), schema) }),
});

/** Holds an answer to what was promised. It may be read afterwards. @throws Error where the promise is broken */
export type Contract = (request: Request, response: Response) => Promise<void>;

/**
 * What an OpenAPI document promises: with which statuses an operation answers, and in which form. What the document does
 * not know of is not its business.
 *
 * @param text the document, as JSON
 */
export function contractOf(text: string): Contract {
  // Where zod looks for what a schema refers to.
  const { paths, components } = documentSchema.parse(
    JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")),
  );
  const routes = Object.entries(paths).map(([path, operations]) => ({
    path,
    operations,
    parameters: path.split("{").length,
    form: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`),
  }));
  /** By the document's own object: zod takes milliseconds to make one. */
  const forms = new Map<object, z.ZodType>();
  const formOf = (of: z.output<typeof schema>): z.ZodType => {
    const form = forms.get(of) ?? z.fromJSONSchema({ ...of, $defs: components.schemas });
    forms.set(of, form);
    return form;
  };
  // `/api/outbox/retry` is no `/api/outbox/{id}`.
  routes.sort((a, b) => a.parameters - b.parameters);

  return async (request, response) => {
    const { pathname } = new URL(request.url);
    const method = request.method.toLowerCase();
    const route = routes.find(({ form, operations }) => form.test(pathname) && method in operations);
    // A fault of ours is promised to nobody; some tests are about one.
    if (!route || response.status === 500) return;
    const broken = (how: string) =>
      new Error(`${request.method} ${route.path} answered ${response.status}: ${how}`);
    const promised = route.operations[method]?.responses[response.status];
    if (!promised) throw broken("the document knows of no such answer");
    const body = await response.clone().text();
    if (!promised.content) {
      if (body !== "") throw broken(`the document knows of no body: ${body}`);
      return;
    }
    const type = response.headers.get("content-type")?.split(";", 1)[0] ?? "";
    const form = promised.content[type];
    if (!form) throw broken(`the document knows of no ${type}`);
    if (!type.endsWith("json")) return;
    const parsed = formOf(form.schema).safeParse(JSON.parse(body));
    if (!parsed.success) throw broken(`${z.prettifyError(parsed.error)}\n${body}`);
  };
}
