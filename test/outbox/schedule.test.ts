import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BREAKER_THRESHOLD } from "../../src/outbox/back-off.ts";
import { routeName } from "../../src/outbox/routes.ts";
import { nextTurns, type UnderWay, underWayOf } from "../../src/outbox/schedule.ts";
import type { WaitingRoute } from "../../src/outbox/waiting-routes.ts";

const LIMITS = { perRoute: 2, altogether: 4 };

const waiting = (route: string, more: Partial<WaitingRoute> = {}): WaitingRoute => ({
  destination: "meta",
  route,
  dueInMs: 0,
  failures: 0,
  throttles: 0,
  unexplained: 0,
  ...more,
});

function turns(
  routes: readonly WaitingRoute[],
  underWay: Record<string, Partial<UnderWay>> = {},
  lastServed: Record<string, number> = {},
  limits = LIMITS,
) {
  const named = <T>(by: Record<string, T>) =>
    Object.entries(by).map(([route, value]) => [`meta ${route}`, value] as const);
  return nextTurns(
    routes,
    {
      underWay: new Map(
        named(underWay).map(([name, some]) => [
          name,
          {
            destination: "meta" as const,
            requests: 1,
            slow: 0,
            isClaiming: false,
            isTroubled: false,
            ...some,
          },
        ]),
      ),
      lastServed: new Map(named(lastServed)),
    },
    limits,
  ).map(({ route }) => route);
}

test("what is under way of a route counts its batches, which of them hang, and whether one is taking rows or in trouble", () => {
  const [a, failing] = [waiting("a"), waiting("b", { failures: 1 })];
  const batches = [
    { route: a, startedMs: 0, isClaiming: true },
    { route: a, startedMs: 5_000, isClaiming: false },
    { route: failing, startedMs: 5_000, isClaiming: false },
    { route: { ...failing, failures: 0 }, startedMs: 5_000, isClaiming: false },
  ];
  expect(Object.fromEntries(underWayOf(batches, 5_001))).toEqual({
    "meta a": { destination: "meta", requests: 2, slow: 1, isClaiming: true, isTroubled: false },
    "meta b": { destination: "meta", requests: 2, slow: 0, isClaiming: false, isTroubled: true },
  });
});

describe("whose turn it is", () => {
  test("the route served longest ago comes first; one that waits for its time does not come at all", () => {
    expect(
      turns([waiting("a"), waiting("b"), waiting("c", { dueInMs: 1 })], {}, { a: 2, b: 1, c: 0 }),
    ).toEqual(["b", "a"]);
    expect(turns([waiting("a"), waiting("new")], {}, { a: 1 })).toEqual(["new", "a"]);
  });

  test("a route whose rows are just being taken waits for what is left of them", () => {
    expect(turns([waiting("a")], { a: { isClaiming: true } })).toEqual([]);
    expect(turns([waiting("a")], { a: { isClaiming: false } })).toEqual(["a"]);
  });

  test("a second request is sent only while half of the capacity is free, and a third one never", () => {
    expect(turns([waiting("a")], { a: {}, b: {} })).toEqual([]);
    const roomy = { ...LIMITS, altogether: 20 };
    const next = (requests: number, failures = 0) =>
      turns([waiting("a", { failures })], { a: { requests } }, {}, roomy);
    expect([next(1), next(2), next(1, BREAKER_THRESHOLD)]).toEqual([["a"], [], []]);
  });

  test("those that have nothing under way come before those that have", () => {
    expect(turns([waiting("big"), waiting("small")], { big: {} }, { small: 9 })).toEqual(["small"]);
  });

  test("routes in trouble take half of the capacity at most, one request each", () => {
    const hanging = ["a", "b", "c"].map((route) => waiting(route, { failures: BREAKER_THRESHOLD }));
    expect(turns([...hanging, waiting("well")])).toEqual(["a", "b", "well"]);
    expect(turns(hanging, { a: { isTroubled: true } })).toEqual(["b"]);
    expect(turns([...hanging, waiting("well")], { x: { slow: 1 }, y: { slow: 1 } })).toEqual(["well"]);
    expect(turns(hanging, { x: {}, y: {} })).toEqual(["a"]);
    expect(turns(hanging, {}, {}, { perRoute: 1, altogether: 1 })).toEqual(["a"]);
  });

  test("requests that hang, even in all the slots, keep out nobody else, and get no second one", () => {
    const hanging = Object.fromEntries(["a", "b", "c", "d"].map((route) => [route, { slow: 1 }]));
    expect(turns([waiting("a"), waiting("well"), waiting("also")], hanging)).toEqual(["well", "also"]);
    expect(turns([waiting("a")], { a: { slow: 1 } })).toEqual([]);
    const more = Object.fromEntries([..."abcdefgh"].map((route) => [route, { slow: 1 }]));
    expect(turns([waiting("well")], more)).toEqual([]);
  });

  test("one destination leaves a quarter to the other", () => {
    const meta = ["a", "b", "c", "d"].map((route) => waiting(route));
    expect(turns(meta)).toEqual(["a", "b", "c"]);
    const many = Array.from({ length: 20 }, (_, i) => waiting(`${i}`));
    expect(turns(many, {}, {}, { perRoute: 2, altogether: 20 })).toHaveLength(15);
    expect(turns([waiting("bot", { destination: "telegram" })], { a: {}, b: {}, c: {} })).toEqual(["bot"]);
  });

  test("whatever waits and runs, no limit is passed, and no healthy route is kept out by troubled ones", () => {
    const route = fc.record({
      dueInMs: fc.integer({ min: -5, max: 5 }),
      failures: fc.nat(2),
      requests: fc.nat(2),
      isClaiming: fc.boolean(),
      servedAt: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(route, { maxLength: 12 }), (given) => {
        const routes = given.map((some, i) => ({ ...some, ...waiting(String(i), some) }));
        const underWay = new Map(
          routes
            .filter(({ requests }) => requests > 0)
            .map((some) => [
              routeName(some),
              {
                destination: "meta" as const,
                requests: some.requests,
                slow: 0,
                isClaiming: some.isClaiming,
                isTroubled: some.failures > 0,
              },
            ]),
        );
        const lastServed = new Map(routes.map((some) => [routeName(some), some.servedAt]));
        const next = nextTurns(routes, { underWay, lastServed }, LIMITS);
        const before = routes.reduce((sum, { requests }) => sum + requests, 0);
        // One of the four is the other destination's.
        expect(next.length).toBeLessThanOrEqual(Math.max(0, LIMITS.altogether - 1 - before));
        expect(new Set(next).size).toBe(next.length);
        for (const { route: name } of next) {
          const some = routes[Number(name)];
          expect(some?.dueInMs).toBeLessThanOrEqual(0);
          expect(some?.requests ? some.isClaiming : false).toBe(false);
          expect(some?.requests).toBeLessThan((some?.failures ?? 0) > 0 ? 1 : LIMITS.perRoute);
        }
        const isIdleAndWell = ({ dueInMs, failures, requests }: (typeof routes)[number]) =>
          dueInMs <= 0 && failures === 0 && requests === 0;
        if (before + next.length < LIMITS.altogether - 1) {
          const names = new Set(next.map(({ route: name }) => name));
          for (const some of routes.filter(isIdleAndWell)) expect(names.has(some.route)).toBe(true);
        }
      }),
    );
  });
});
