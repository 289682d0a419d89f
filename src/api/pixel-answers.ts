import type { Outcome } from "../meta/outcome.ts";
import type { PoolPixelCheck, TestEvent } from "../pools/try-pixel.ts";

/** What a check of a pool's pixel found. */
export interface PixelAnswer {
  readonly kind: PoolPixelCheck["kind"];
  readonly pixel_id: string | null;
  /** What Meta calls the pixel, where it tells. */
  readonly name: string | null;
  readonly reason: string | null;
}

/** What became of a test event. */
export interface TestEventAnswer {
  readonly outcome: Outcome["kind"];
  readonly reason: string | null;
  readonly test_event_code: string;
  readonly event: unknown;
  /** Meta's answer as it came; no status where none came. */
  readonly answer: { readonly status: number | null; readonly body: string; readonly duration_ms: number };
}

/** What Meta said of a pool's token and pixel, as the API tells it. */
export function pixelAnswer(check: PoolPixelCheck, pixelId: string | null): PixelAnswer {
  const of = { kind: check.kind, pixel_id: pixelId };
  switch (check.kind) {
    case "reached":
      return { ...of, name: check.name, reason: null };
    case "refused":
    case "unreadable":
    case "misaddressed":
    case "unanswered":
    case "sealed":
      return { ...of, name: null, reason: check.reason };
    case "no_pixel":
    case "no_token":
      return { ...of, name: null, reason: missingText(check) };
  }
}

/** A test event that was sent, and what Meta said of it, as the API tells it. */
export function testEventAnswer(
  { event, answer, outcome }: Extract<TestEvent, { kind: "sent" }>,
  testEventCode: string,
): TestEventAnswer {
  const isAnswered = answer.kind === "answered";
  return {
    outcome: outcome.kind,
    reason: outcome.kind === "delivered" ? null : outcome.reason,
    test_event_code: testEventCode,
    event,
    answer: {
      status: isAnswered ? answer.status : null,
      body: isAnswered ? answer.body : answer.error,
      duration_ms: Math.round(answer.durationMs),
    },
  };
}

/** Why there is nothing to send with. */
export function missingText(missing: Exclude<TestEvent, { kind: "sent" }>): string {
  switch (missing.kind) {
    case "no_pixel":
      return "The pool has no pixel.";
    case "no_token":
      return "The pool has no access token.";
    case "sealed":
      return missing.reason;
  }
}
