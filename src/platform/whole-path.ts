import { Elysia } from "elysia";
import { problem } from "./problem.ts";
import { RefusedRequest } from "./refusal.ts";

/**
 * On all routes that are added after it, refuses a request without a Host of whose path Elysia would see the tail alone
 * (`/ops` of `/anything-long/ops`). Only HTTP/1.0 comes without one (Bun refuses HTTP/1.1); its short paths still work.
 */
export function wholePathPlugin() {
  return new Elysia({ name: "whole-path" }).onTransform({ as: "global" }, ({ request: { url }, path }) => {
    if (!url.startsWith("/") || url.split("?", 1)[0] === path) return;
    throw new RefusedRequest(() => problem(400, { detail: "The request has no Host. Send one." }));
  });
}
