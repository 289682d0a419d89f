import { z } from "zod";
import type { RefusalCount } from "../../gate/read-refusals.ts";
import { count, instant, text } from "./kinds.ts";

export const auditEntrySchema = z.strictObject({
  id: count,
  at: instant,
  actor: text,
  action: text,
  subject: text,
  // Whatever JSON it is: a schema of that would refer to itself, by a place that the OpenAPI document does not have.
  before: z.unknown(),
  after: z.unknown(),
});

const gateRefusal: z.ZodType<RefusalCount> = z.strictObject({
  pool_id: count,
  pool: text,
  param: count,
  automated: count,
});

export const gateRefusalsSchema = z.strictObject({ items: z.array(gateRefusal) });
