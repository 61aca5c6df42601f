import type { FastifyInstance } from "fastify";
import type { Backend } from "../../backend/backend.js";
import { HOME_SCRIPT_PATH, homePage } from "../../report/site/home-page.js";
import type { Door } from "../door/door.js";
import { addScript, sendPage } from "../page-response.js";
import type { RunsApi } from "../run-routes.js";
import { addHubRuns } from "./hub-routes.js";
import { addPlanCheck } from "./plan-routes.js";
import { addComparison, addTimelines } from "./result-pages.js";

export interface SiteOptions {
  readonly runs: RunsApi;
  readonly door: Door;
  /** Rejects with a FanoutError while there is none. */
  readonly backend: () => Promise<Backend>;
}

/** The pages of `fanout serve`, and the routes that their scripts need besides the run API. */
export async function addSite(app: FastifyInstance, { runs, door, backend }: SiteOptions): Promise<void> {
  const withKey = door.lock !== undefined;
  const security = withKey ? { security: [{ apiKey: [] }, { bearer: [] }, { session: [] }] } : {};
  await app.register(async (scope) => {
    scope.addHook("onRequest", door.costly);
    addPlanCheck(scope, runs, backend, security);
    addHubRuns(scope, backend, security);
  });
  await app.register(async (scope) => {
    scope.addHook("onRequest", door.pages);
    const html = homePage({ fields: runs.keys, withKey });
    scope.get("/", { schema: { hide: true } }, async (_request, reply) => sendPage(reply, html));
    addComparison(scope, runs.runs);
    addTimelines(scope, backend);
  });
  await addScript(app, HOME_SCRIPT_PATH, "home.js");
}
