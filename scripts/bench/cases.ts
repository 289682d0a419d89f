import type { BenchCase } from "./case.ts";
import { goCases } from "./cases/go.ts";

/** Every case, in the order of the report. */
export const CASES: readonly BenchCase[] = [...goCases];
