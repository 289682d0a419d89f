import { Counter, type Registry } from "prom-client";
import type { VisitTallies } from "./tallies.ts";

/** The visits' plain numbers under their names. */
export function addVisits(registry: Registry, visits: VisitTallies): void {
  const counter = (
    name: string,
    help: string,
    label: string,
    values: () => Readonly<Record<string, number>>,
  ) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, n] of Object.entries(values())) this.inc({ [label]: value }, n);
      },
    });
  counter("ponte_visits_total", "Requests for /go, by what became of them.", "result", () => ({
    page: visits.page,
    redirect: visits.redirect,
    gate_refused: visits.refusedParam + visits.refusedAutomated,
    rate_limited: visits.rateLimited,
    not_found: visits.notFound,
    unavailable: visits.unavailable,
    looked_ahead: visits.lookedAhead,
  }));
  counter("ponte_gate_refusals_total", "Requests that the gate refused, by reason.", "reason", () => ({
    param: visits.refusedParam,
    automated: visits.refusedAutomated,
  }));
  counter("ponte_visits_recorded_total", "Accepted visits, by where they were stored.", "where", () => ({
    database: visits.committed,
    spool: visits.spooled,
    nowhere: visits.lost,
  }));
}
