import { answerSchema } from "./bare.ts";

/** The yardstick as a process: a bare `Bun.serve` that gives every request the same answer, which comes in as an argument. */
const { status, headers, body } = answerSchema.parse(JSON.parse(process.argv[2] ?? ""));

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: () => new Response(body, { status, headers }),
});
console.log(server.url.origin);
