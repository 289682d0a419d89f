import type { PixelTrial } from "../../../views/ops/pool-data.ts";
import type { Outcome } from "../../meta/outcome.ts";
import type { PoolPixelCheck, TestEvent } from "../../pools/try-pixel.ts";

/** What Meta said, without its own words. */
type Verdict = Omit<PixelTrial, "raw">;

/** What a check of the credential found, in the operator's words. */
export function checkTrial(check: PoolPixelCheck): PixelTrial {
  return { ...checkVerdict(check), raw: [] };
}

function checkVerdict(check: PoolPixelCheck): Verdict {
  switch (check.kind) {
    case "reached": {
      const text = check.name === null ? "The token reaches it." : `The token reaches it: ${check.name}`;
      return { tone: "good", title: "Meta knows the pixel", text };
    }
    case "refused":
      return {
        tone: "bad",
        title: "Meta refuses the token",
        text: `${check.reason}. Save a new one below; what was refused meanwhile waits and goes by itself then.`,
      };
    case "unreadable":
      return {
        tone: "warn",
        title: "The token may not read the pixel",
        text: `${check.reason}. A token made for the Conversions API alone may still send: a test event tells.`,
      };
    case "misaddressed":
      return misaddressed(check.reason);
    case "unanswered":
      return { tone: "bad", title: "Meta did not answer", text: check.reason };
    case "no_pixel":
    case "no_token":
    case "sealed":
      return missingVerdict(check);
  }
}

/** What became of a test event, with Meta's answer as it came. */
export function eventTrial(test: TestEvent, testEventCode: string): PixelTrial {
  if (test.kind !== "sent") return { ...missingVerdict(test), raw: [] };
  const { answer, event } = test;
  const raw = [
    answer.kind === "answered"
      ? { label: `Meta's answer: HTTP ${answer.status} after ${answer.durationMs} ms`, text: answer.body }
      : { label: `No answer after ${answer.durationMs} ms`, text: answer.error },
    { label: "What was sent", text: JSON.stringify(event, null, 2) },
  ];
  return { ...outcomeVerdict(test.outcome, testEventCode), raw };
}

function outcomeVerdict(outcome: Outcome, testEventCode: string): Verdict {
  switch (outcome.kind) {
    case "delivered":
      return {
        tone: "good",
        title: "Meta took the test event",
        text: [
          `It stands under Test events, ${testEventCode}, within seconds, and is counted as one PageView.`,
          ...outcome.messages,
        ].join(" "),
      };
    case "credential":
      return refusal(outcome);
    case "invalid":
      return { tone: "bad", title: "Meta refuses the event", text: outcome.reason };
    case "throttled":
      return {
        tone: "warn",
        title: "Meta asks to slow down",
        text: `${outcome.reason}. Try again in a while.`,
      };
    case "partial":
    case "transient":
      return { tone: "warn", title: "Meta could not take it now", text: `${outcome.reason}. Try again.` };
  }
}

function refusal({ of, reason }: Extract<Outcome, { kind: "credential" }>): Verdict {
  switch (of) {
    case "token":
      return { tone: "bad", title: "Meta refuses the token", text: reason };
    case "reach":
      return { tone: "bad", title: "The token does not reach the pixel", text: reason };
    case "address":
      return misaddressed(reason);
  }
}

function misaddressed(reason: string): Verdict {
  return {
    tone: "bad",
    title: "Meta is asked in a way that it does not know",
    text: `${reason}. The token is not to blame: check META_GRAPH_VERSION and META_GRAPH_URL.`,
  };
}

function missingVerdict(missing: Exclude<TestEvent, { kind: "sent" }>): Verdict {
  const title = "Nothing was sent";
  switch (missing.kind) {
    case "no_pixel":
      return { tone: "bad", title, text: "The pool has no pixel. Save one below." };
    case "no_token":
      return { tone: "bad", title, text: "The pool has no access token. Save one below." };
    case "sealed":
      return { tone: "bad", title, text: missing.reason };
  }
}
