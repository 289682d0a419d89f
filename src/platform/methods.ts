import type { AnyElysia } from "elysia";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** The methods that a path's own routes take; none where it has none, though a wildcard has a page for what is missing. */
export function methodsAt({ router }: AnyElysia, path: string): string[] {
  const known = METHODS.filter((method) => {
    if (router.static[path]?.[method] !== undefined) return true;
    const found = router.http.find(method, path);
    return found !== null && !("*" in found.params);
  });
  // Elysia answers HEAD wherever it answers GET.
  return known.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
