import { ConfigError, readConfig } from "../../src/config.ts";

/** The lines that settings are refused with; none where they are taken. */
export function refusal(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}
