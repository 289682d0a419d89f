import { z } from "zod";

/** A schema as OpenAPI takes it. Through JSON: zod's types for a JSON schema and OpenAPI's do not know each other. */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output") {
  return JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io })));
}
