import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PaymentStatus } from "../../src/db/vocabulary.ts";
import { type Decision, decide, type PaymentEvent, type PaymentState } from "../../src/payments/decide.ts";

const STATUSES: readonly PaymentStatus[] = ["pending", "expired", "paid", "refunded", "chargeback"];
const REGISTERED = { amountMinor: 4990, currency: "BRL", chargeId: null, returned: [] };

const event: fc.Arbitrary<PaymentEvent> = fc.oneof(
  fc.record({
    kind: fc.constant("paid" as const),
    amountMinor: fc.constantFrom(undefined, 1, 4990, 9999),
    currency: fc.constantFrom(undefined, "BRL", "USD"),
    note: fc.constantFrom(undefined, "refunded in part"),
  }),
  fc.constantFrom<PaymentEvent>({ kind: "refunded" }, { kind: "chargeback" }, { kind: "expired" }),
  fc.record({
    kind: fc.constant("noted" as const),
    note: fc.constantFrom("a dispute was won", "an inquiry"),
  }),
);

/** Plays events one after the other, as the database would keep their outcome. */
function play(events: readonly PaymentEvent[]) {
  let state: PaymentState = { status: "pending", ...REGISTERED };
  const path: PaymentStatus[] = [state.status];
  let confirms = 0;
  let moves = 0;
  let deliveries = 0;
  for (const each of events) {
    const decision = decide(state, each);
    switch (decision.kind) {
      case "confirm":
        confirms++;
        if (decision.deliver) deliveries++;
        state = { ...decision, status: "paid", returned: [] };
        break;
      case "move":
        moves++;
        state = { ...state, status: decision.to };
        break;
      case "nothing":
        break;
    }
    path.push(state.status);
  }
  return { state, path, confirms, moves, deliveries };
}

const NEXT: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  pending: ["pending", "paid", "refunded", "chargeback", "expired"],
  expired: ["expired", "paid", "refunded", "chargeback"],
  paid: ["paid", "refunded", "chargeback"],
  refunded: ["refunded", "chargeback"],
  chargeback: ["chargeback"],
};

describe("the life of a payment, whatever comes in whatever order", () => {
  test("it is confirmed once at most, delivered once at most, and moves by the table alone", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const { path, confirms, deliveries } = play(events);
        expect(confirms).toBeLessThanOrEqual(1);
        expect(deliveries).toBeLessThanOrEqual(confirms);
        for (let step = 1; step < path.length; step++) {
          expect(NEXT[path[step - 1] ?? "pending"]).toContain(path[step] ?? "pending");
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("copies change nothing: each event twice does, and ends as, each event once", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const once = play(events);
        const twice = play(events.flatMap((each) => [each, each]));
        expect(twice.state).toEqual(once.state);
        expect(twice.confirms).toBe(once.confirms);
        expect(twice.moves).toBe(once.moves);
      }),
      { numRuns: 1000 },
    );
  });

  test("a chargeback is the end in any order, a refund the end unless one comes, and money outlives expiry", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (events) => {
        const kinds = new Set(events.map(({ kind }) => kind));
        const { state } = play(events);
        const end = kinds.has("chargeback")
          ? "chargeback"
          : kinds.has("refunded")
            ? "refunded"
            : kinds.has("paid")
              ? "paid"
              : kinds.has("expired")
                ? "expired"
                : "pending";
        expect(state.status).toBe(end);
      }),
      { numRuns: 2000 },
    );
  });

  test("less than what was asked for, or another currency, is confirmed and not delivered", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(4990), fc.integer({ min: 1, max: 10_000 })),
        fc.constantFrom("BRL", "USD"),
        (amountMinor, currency) => {
          const decision = decide(
            { status: "pending", ...REGISTERED },
            { kind: "paid", amountMinor, currency },
          );
          expect(decision).toMatchObject({
            kind: "confirm",
            amountMinor,
            currency,
            deliver: currency === "BRL" && amountMinor >= 4990,
            note: currency === "BRL" && amountMinor === 4990 ? null : expect.any(String),
          });
        },
      ),
    );
  });

  test.each(STATUSES)("what is only noted moves nothing from %s, and is kept", (status) => {
    const decision = decide({ status, ...REGISTERED }, { kind: "noted", note: "an inquiry" });
    expect(decision).toEqual({ kind: "nothing", note: "an inquiry" });
  });

  test.each([
    ["paid", "confirmed again with another amount: 1 BRL after 4990 BRL"],
    ["refunded", "confirmed after it ended as refunded"],
    ["chargeback", "confirmed after it ended as chargeback"],
  ] as const)("a confirmation that comes to a payment that is %s calls a person", (status, note) => {
    const decision = decide({ status, ...REGISTERED }, { kind: "paid", amountMinor: 1 });
    expect(decision).toEqual({ kind: "nothing", note });
  });

  test.each(["paid", "refunded", "chargeback"] as const)(
    "a copy of its own confirmation that comes to a payment that is %s calls nobody",
    (status) => {
      const copy = { kind: "paid", amountMinor: 4990, currency: "BRL", chargeId: "a" } as const;
      expect(decide({ ...REGISTERED, status, chargeId: "a" }, copy)).toEqual({ kind: "nothing", note: null });
    },
  );

  test.each(["pending", "expired", "paid"] as const)(
    "a part that is refunded moves nothing from %s and calls a person; the whole, or more, is a refund, and what is not the whole calls a person too",
    (status) => {
      const refund = (amountMinor: number, currency?: string) =>
        decide({ status, ...REGISTERED }, { kind: "refunded", amountMinor, currency });
      const part: Decision = { kind: "nothing", note: "refunded in part: 4989 BRL" };
      expect([refund(4989), refund(4989, "BRL")]).toEqual([part, part]);
      const whole = (note: string | null): Decision => ({ kind: "move", to: "refunded", note });
      expect(refund(4990)).toEqual(whole(null));
      expect(refund(4991, "BRL")).toEqual(whole("refunded 4991 BRL of 4990 BRL"));
      expect(refund(1, "USD")).toEqual(whole("refunded 1 USD of 4990 BRL"));
      expect(refund(4990, "USD")).toEqual(whole("refunded 4990 USD of 4990 BRL"));
    },
  );

  test.each(["refunded", "chargeback"] as const)(
    "%s without naming a charge is of the one there is",
    (kind) => {
      const payment = { ...REGISTERED, status: "paid" as const, chargeId: "a" };
      expect(decide(payment, { kind })).toEqual({ kind: "move", to: kind, note: null });
    },
  );

  test.each([
    [
      "paid",
      { kind: "paid", amountMinor: 4990, currency: "BRL" },
      "paid twice: 4990 BRL by charge b after a",
    ],
    ["paid, nobody says how much,", { kind: "paid" }, "paid twice by charge b after a"],
    ["refunded", { kind: "refunded" }, "charge b was refunded; a stays paid"],
    ["charged back", { kind: "chargeback" }, "charge b was charged back; a stays paid"],
  ] as const)("another charge that is %s changes nothing, and calls a person", (_, event, note) => {
    const payment = { ...REGISTERED, status: "paid" as const, chargeId: "a" };
    expect(decide(payment, { ...event, chargeId: "b" })).toEqual({ kind: "nothing", note });
    expect(decide(payment, { ...event, chargeId: "a" })).not.toMatchObject({ note });
  });

  test.each(["refunded", "chargeback"] as const)(
    "%s before any was paid, of two charges: a third that is paid counts, those two never do",
    (status) => {
      const payment = { ...REGISTERED, status, returned: ["a", "b"] };
      const note = `confirmed after it ended as ${status}`;
      expect(decide(payment, { kind: "paid", chargeId: "c" })).toMatchObject({
        kind: "confirm",
        chargeId: "c",
      });
      for (const chargeId of ["a", "b", undefined]) {
        expect(decide(payment, { kind: "paid", chargeId })).toEqual({ kind: "nothing", note });
      }
    },
  );

  test.each(["refunded", "chargeback"] as const)(
    "%s after it was confirmed: nothing confirms it again, no charge that nobody knows nor a copy of its own",
    (status) => {
      const nameless = { ...REGISTERED, status };
      const note = `confirmed after it ended as ${status}`;
      expect(decide(nameless, { kind: "paid", chargeId: "a" })).toEqual({ kind: "nothing", note });
      const ofSecond = { ...nameless, chargeId: "b", returned: ["a"] };
      expect(decide(ofSecond, { kind: "paid", chargeId: "b" })).toEqual({ kind: "nothing", note: null });
    },
  );
});
