import type { z } from "zod";
import { parseJson } from "./json.ts";
import { notJson, problem, problemErrors } from "./problem.ts";

/** The answer is made when it is given: a body may be read before it is known which request is at work. */
interface Refused {
  readonly kind: "refused";
  readonly response: () => Response;
}

type Body = { readonly kind: "read"; readonly text: string; readonly bytes: Uint8Array } | Refused;

/** As long as a body may be for any route. */
export const LARGEST_BODY_BYTES = 256 * 1024;

/**
 * A request's whole body, as bytes and as UTF-8 text. Refuses one longer than `maxBytes` (413), whatever
 * `Content-Length` claims, and one that is not UTF-8, or whose sender hung up before its end (400).
 */
export async function readBody(request: Request, maxBytes: number): Promise<Body> {
  const tooLarge = () =>
    problem(413, {
      detail: `The body may have at most ${maxBytes} bytes.`,
      headers: { connection: "close" },
    });
  const hungUp = () => problem(400, { detail: "The connection was closed before the body's end." });
  const claimed = request.headers.get("content-length");
  if (Number(claimed ?? 0) > maxBytes) return { kind: "refused", response: tooLarge };
  let bytes: Uint8Array | null;
  try {
    bytes =
      claimed === null
        ? await bytesUpTo(request.body, maxBytes)
        : new Uint8Array(await request.arrayBuffer());
  } catch (error) {
    // Nobody hears the answer, but log and metrics would take it for a fault of ours.
    if (request.signal.aborted) return { kind: "refused", response: hungUp };
    throw error;
  }
  if (bytes === null || bytes.length > maxBytes) return { kind: "refused", response: tooLarge };
  try {
    return { kind: "read", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), bytes };
  } catch {
    return { kind: "refused", response: () => problem(400, { detail: "The body is not UTF-8 text." }) };
  }
}

/**
 * The same for a body of JSON that the schema reads. Refuses what is no JSON, and what the schema does not take (400);
 * `detail` says there what was expected.
 */
export async function readJson<T extends z.ZodType>(
  request: Request,
  { maxBytes, schema, detail }: { readonly maxBytes: number; readonly schema: T; readonly detail: string },
): Promise<{ readonly kind: "read"; readonly value: z.output<T> } | Refused> {
  const body = await readBody(request, maxBytes);
  if (body.kind === "refused") return body;
  const json = parseJson(body.text);
  if (json === undefined) return { kind: "refused", response: notJson };
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: "read", value: parsed.data };
  const errors = problemErrors(parsed.error.issues);
  return { kind: "refused", response: () => problem(400, { detail, errors }) };
}

/** What a stream brings; null once that is more than `maxBytes`, and the rest stays unread. */
async function bytesUpTo(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array | null> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.length;
    if (length > maxBytes) {
      await reader.cancel();
      return null;
    }
    chunks.push(read.value);
  }
  return Buffer.concat(chunks);
}
