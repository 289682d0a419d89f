import { Elysia } from "elysia";
import { problem } from "./problem.ts";
import { RefusedRequest } from "./refusal.ts";

/**
 * Refuses what has no Host and a path of which Elysia would take the tail alone (`/ops` of `/anything-long/ops`), on all
 * routes that are added after it. Bun itself refuses HTTP/1.1 without a Host; an old client's short paths still work.
 */
export function wholePathPlugin() {
  return new Elysia({ name: "whole-path" }).onTransform({ as: "global" }, ({ request: { url }, path }) => {
    if (!url.startsWith("/") || url.split("?", 1)[0] === path) return;
    throw new RefusedRequest(problem(400, { detail: "The request has no Host. Send one." }));
  });
}
