import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { variables } from "../src/config/variables.ts";

/** What the file decides itself, or leaves to the image. */
const ITS_OWN = [
  "HOST",
  "PORT",
  "DATABASE_URL",
  "DATABASE_DIRECT_URL",
  "DATABASE_POOLER",
  "DATA_DIR",
  "REDIS_URL",
  "ROLE",
];

const composeSchema = z.object({
  services: z.object({ ponte: z.object({ environment: z.record(z.string(), z.string()) }) }),
});

describe("compose.yaml", () => {
  test("passes every setting on that it does not decide itself", async () => {
    const file = Bun.YAML.parse(await Bun.file(join(import.meta.dir, "../compose.yaml")).text());
    const { environment } = composeSchema.parse(file).services.ponte;
    const passedOn = Object.keys(variables.shape).filter((name) => environment[name] === `\${${name}:-}`);
    expect([...passedOn, ...ITS_OWN].toSorted()).toEqual(Object.keys(variables.shape).toSorted());
  });
});
