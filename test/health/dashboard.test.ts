import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import { z } from "zod";
import { pauseRoute } from "../../src/outbox/change-route.ts";
import { addRows } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { exportedNames, type Observed, PIXEL, startObserved } from "./observed.ts";

const file = (path: string) => readFileSync(join(import.meta.dir, "../..", path), "utf8");

const targets = z.array(
  z.object({ expr: z.string(), datasource: z.object({ uid: z.string().startsWith("$") }) }),
);
const dashboardSchema = z.object({
  title: z.literal("Ponte"),
  panels: z.array(
    z.object({
      id: z.number(),
      type: z.enum(["row", "stat", "timeseries"]),
      title: z.string().min(1),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: targets.min(1).optional(),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
});
const rulesSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string().regex(/^Ponte[A-Z]\w+$/),
          expr: z.string(),
          labels: z.object({ severity: z.enum(["critical", "warning"]) }),
          annotations: z.object({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
});

const dashboard = dashboardSchema.parse(JSON.parse(file("deploy/grafana-dashboard.json")));
const rules = rulesSchema.parse(YAML.parse(file("deploy/alerts.yml"))).groups.flatMap((group) => group.rules);

const queries = [
  ...dashboard.panels.flatMap((panel) =>
    (panel.targets ?? []).map(({ expr }) => ({ of: panel.title, expr })),
  ),
  ...dashboard.templating.list.flatMap(({ name, definition }) =>
    definition ? [{ of: name, expr: definition }] : [],
  ),
  ...rules.map(({ alert, expr }) => ({ of: alert, expr })),
];

/** What Prometheus adds to every series. */
const GIVEN_LABELS = ["instance", "job"];

let own: Observed;
let scraped: string;
beforeAll(async () => {
  own = await startObserved();
  const sealed = own.deps.secrets.seal(`EAA${"x".repeat(40)}`, "pools.meta_access_token");
  await addPool(own.db, { slug: "open", metaPixelId: PIXEL, metaAccessToken: sealed });
  await addPool(own.db, { slug: "tested", metaTestEventCode: "TEST1" });
  await own.deps.pools.refresh();
  await own.go("/go/open");
  await own.dispatcher.drain();
  await own.pay({ provider_ref: "r1", status: "paid", amount_minor: 4990, currency: "BRL" });
  await addRows(own.db, 1, { route: "1" });
  await addRows(own.db, 1, { route: "1", status: "dead" });
  await own.db.transaction((tx) => pauseRoute(tx, own.db, { destination: "meta", route: "1" }, "why"));
  scraped = await own.scraped("ponte_webhooks_total{");
});
afterAll(() => own.dispose());

/** The labels that a metric's series really have, by the metric's name. */
function labelsByName(text: string): Map<string, Set<string>> {
  const labels = new Map<string, Set<string>>();
  for (const [, name = "", inside = ""] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = labels.get(name) ?? new Set(GIVEN_LABELS);
    for (const [, label = ""] of inside.matchAll(/(\w+)="/g)) known.add(label);
    labels.set(name, known);
  }
  return labels;
}

const METRIC = /\b(?:ponte|process)_[a-z_]+\b/g;

describe("the Grafana dashboard and the alerts", () => {
  test.each(queries)("$of asks for metrics and labels that Ponte really exports", ({ expr }) => {
    const names = exportedNames(scraped);
    const labels = labelsByName(scraped);
    const used = expr.match(METRIC) ?? [];
    expect(used).not.toEqual([]);
    for (const name of used) expect({ name, exported: names.has(name) }).toEqual({ name, exported: true });
    for (const [, name = "", matchers = ""] of expr.matchAll(/\b((?:ponte|process)_[a-z_]+)\{([^}]*)\}/g)) {
      const asked = [...matchers.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g)].map(([, label = ""]) => label);
      for (const label of asked)
        expect({ name, label, has: labels.get(name)?.has(label) }).toEqual({ name, label, has: true });
    }
    const everywhere = new Set(used.flatMap((name) => [...(labels.get(name) ?? [])]));
    for (const [, list = ""] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(",").map((one) => one.trim())) expect([...everywhere]).toContain(label);
    }
  });

  test.each(rules)(
    "$alert names only labels that it keeps, and lists the status that it is about",
    (rule) => {
      const kept = (/\bby \(([^)]*)\)/.exec(rule.expr)?.[1] ?? "").split(",").map((label) => label.trim());
      const { summary, description } = rule.annotations;
      for (const [, label = ""] of `${summary} ${description}`.matchAll(/\$labels\.(\w+)/g))
        expect(kept).toContain(label);
      // A command for one status shows nothing of another.
      if (kept.includes("status")) expect(description).not.toMatch(/--status \w/);
    },
  );

  test("every metric of ours stands in the dashboard or in an alert", () => {
    const used = new Set(queries.flatMap(({ expr }) => expr.match(METRIC) ?? []).map(withoutSuffix));
    const exported = new Set(
      [...exportedNames(scraped)].filter((name) => name.startsWith("ponte_")).map(withoutSuffix),
    );
    expect([...exported].filter((name) => !used.has(name))).toEqual([]);
  });

  test("no panel has another's number or lies over another", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBe(24);
  });

  test("docs/operations.md says what to do about every alert, and what every metric means", () => {
    const page = file("docs/operations.md");
    for (const { alert } of rules) expect(page).toContain(`\`${alert}\``);
    for (const name of new Set([...exportedNames(scraped)].map(withoutSuffix)))
      expect(page).toContain(`\`${name}\``);
  });
});

function withoutSuffix(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, "");
}
