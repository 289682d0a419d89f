import type { Section } from "../../views/ops/frame.tsx";
import { NotFound } from "../../views/ops/not-found.tsx";
import { RefusedRequest } from "../platform/refusal.ts";
import type { Operator } from "./guard.ts";
import { opsPage } from "./page.ts";

/** Ends the request with a page that says that something is not there. `text` says what, or what to do. */
export function notFound(operator: Operator, section: Section, text: string): never {
  throw new RefusedRequest(() =>
    opsPage(operator, { title: "Not found", section, status: 404, children: NotFound({ text }) }),
  );
}
