import { z } from "zod";

/** As much of a JSON schema as the reference page reads. */
interface JsonSchema {
  readonly $ref?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly examples?: readonly unknown[] | undefined;
  /** Of a whole body: zod leaves `examples` out wherever a part of it is transformed. */
  readonly example?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
}

const schema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    examples: z.array(z.unknown()).optional(),
    example: z.unknown().optional(),
    properties: z.record(z.string(), schema).optional(),
    items: schema.optional(),
    anyOf: z.array(schema).optional(),
    oneOf: z.array(schema).optional(),
  }),
);

const content = z.record(z.string(), z.object({ schema: schema.optional() })).optional();

const operation = z.object({
  summary: z.string().optional(),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  security: z.array(z.unknown()).optional(),
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().optional(), schema }))
    .optional(),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string().optional(), content })).optional(),
});

/** As much of an OpenAPI document as the reference page reads. */
export const openapiDocument = z.object({
  info: z.object({ title: z.string(), version: z.string(), description: z.string().optional() }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), schema).optional() }),
});

export type OpenapiDocument = z.output<typeof openapiDocument>;
export type Operation = z.output<typeof operation>;
export type Schemas = Readonly<Record<string, JsonSchema>>;

/** A value that the schema takes: its first example, else one made of its parts. */
export function exampleOf(given: JsonSchema | undefined, schemas: Schemas, depth = 0): unknown {
  if (given === undefined || depth > 16) return null;
  if (given.$ref !== undefined) {
    return exampleOf(schemas[given.$ref.split("/").at(-1) ?? ""], schemas, depth + 1);
  }
  if (given.example !== undefined) return given.example;
  if (given.examples !== undefined && given.examples.length > 0) return given.examples[0];
  if (given.const !== undefined) return given.const;
  if (given.enum !== undefined) return given.enum[0];
  const choices = given.anyOf ?? given.oneOf;
  if (choices !== undefined)
    return exampleOf(
      choices.find(({ type }) => type !== "null"),
      schemas,
      depth + 1,
    );
  if (given.properties !== undefined) {
    return Object.fromEntries(
      Object.entries(given.properties).map(([name, part]) => [name, exampleOf(part, schemas, depth + 1)]),
    );
  }
  if (given.items !== undefined) return [exampleOf(given.items, schemas, depth + 1)];
  const type = typeof given.type === "string" ? given.type : given.type?.find((name) => name !== "null");
  return type === undefined ? null : (PLAIN.get(type) ?? null);
}

const PLAIN: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["string", "…"],
  ["integer", 1],
  ["number", 1],
  ["boolean", true],
  ["object", {}],
  ["array", []],
]);
