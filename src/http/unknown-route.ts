import type { FastifyInstance } from "fastify";
import { HttpError } from "./http-error.js";

interface Route {
  readonly path: RegExp;
  readonly methods: readonly string[];
}

/**
 * Answers requests without a route before it reads more than their head: 405 with `Allow` if the path has other
 * methods, else 404. Call it before the routes are added.
 */
export function refuseUnknownRoutes(app: FastifyInstance, whatThereIs: string): void {
  const routes: Route[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    routes.push({ path: pathOf(url), methods: [method].flat() });
  });
  app.addHook("onRequest", async ({ is404, url, method }, reply) => {
    if (!is404) return;
    const path = url.split("?", 1)[0] ?? "";
    const allowed = new Set(routes.filter((route) => route.path.test(path)).flatMap(({ methods }) => methods));
    if (allowed.size === 0) throw new HttpError(404, `There is no ${method} ${path}.`, { hint: whatThereIs });
    const allow = [...allowed].toSorted();
    reply.header("allow", allow.join(", "));
    throw new HttpError(405, `${path} takes ${allow.join(" and ")}, found ${method}.`);
  });
}

/** `:name` matches one segment of a path, and `*` the rest of it. */
function pathOf(url: string): RegExp {
  const pattern = url.replaceAll(/[.+?^${}()|[\]\\]/gu, "\\$&").replaceAll(/:[^/]+/gu, "[^/]+");
  return new RegExp(`^${pattern.replaceAll("*", ".*")}$`, "u");
}
