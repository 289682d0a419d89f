import type { BenchCase } from "./case.ts";
import { cookiesCase } from "./cases/cookies.ts";
import { drainCases } from "./cases/drain.ts";
import { gateCase } from "./cases/gate.ts";
import { goCases } from "./cases/go.ts";
import { latencyCase } from "./cases/latency.ts";
import { memoryCase } from "./cases/memory.ts";
import { sizeCase } from "./cases/size.ts";
import { startupCase } from "./cases/startup.ts";
import { tailCase } from "./cases/tail.ts";

/** Every case, in the order of the report. */
export const CASES: readonly BenchCase[] = [
  ...goCases,
  tailCase,
  cookiesCase,
  gateCase,
  ...drainCases,
  latencyCase,
  sizeCase,
  memoryCase,
  startupCase,
];
