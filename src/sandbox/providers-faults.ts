import { z } from "zod";
import { pause, resetConnection } from "./connection.ts";
import { scheduleFields } from "./faults.ts";
import { PROVIDERS } from "./providers-charges.ts";

/** Body of `POST /providers/faults`. `latency` waits `ms`; the other fields: see `scheduleFields`. */
export const providerFaultSchema = z.strictObject({
  provider: z.enum(PROVIDERS),
  mode: z.enum(["500", "429", "garbage", "reset", "latency"]),
  ms: z.int().min(0).max(600_000).default(1000),
  ...scheduleFields,
});

/** A fault of a stood-in provider, with its defaults filled in. */
export type ProviderFault = z.output<typeof providerFaultSchema>;

/** The failure to answer, or null after a mere wait. */
export async function strikeProvider(fault: ProviderFault): Promise<Response | null> {
  switch (fault.mode) {
    case "latency":
      await pause(fault.ms);
      return null;
    case "reset":
      return resetConnection();
    case "garbage":
      return new Response("<html>Bad Gateway</html>", { headers: { "content-type": "text/html" } });
    case "500":
      return Response.json({ message: "Internal Server Error" }, { status: 500 });
    case "429":
      return Response.json(
        { message: "Too Many Requests" },
        { status: 429, headers: { "retry-after": "1" } },
      );
  }
}
