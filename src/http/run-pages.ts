import type { FastifyInstance } from "fastify";
import { liveShell } from "../report/html/live-shell.js";
import { SITE_STYLE } from "../report/site/site-style.js";
import type { ServedRuns } from "../runs/served-runs.js";
import type { Door } from "./door/door.js";
import { addLiveAssets } from "./live-assets.js";
import { sendPage, sendReport } from "./page-response.js";
import { PROBLEM_PREFIX } from "./problem.js";
import { resultOf, runOf } from "./run-of.js";

interface Run {
  readonly Params: { readonly runId: string };
}

/** The pages of runs, for people: a run while it happens, and its report. */
export async function addRunPages(app: FastifyInstance, runs: ServedRuns, door: Door): Promise<void> {
  await addLiveAssets(app, "/site/", SITE_STYLE);
  await app.register(async (pages) => {
    pages.addHook("onRequest", door.pages);
    addPages(pages, runs);
  });
}

function addPages(app: FastifyInstance, runs: ServedRuns): void {
  const options = { schema: { hide: true } };

  app.get<Run>("/runs/:runId", options, async ({ params: { runId } }, reply) => {
    if (runOf(runs, runId).hasResult) return reply.redirect(`${runId}/report`);
    const api = `..${PROBLEM_PREFIX}runs/${runId}`;
    const served = { report: `${runId}/report`, cancel: `${api}/cancel` };
    return sendPage(reply, liveShell({ assets: "../site/", events: `${api}/events`, served }));
  });

  app.get<Run>("/runs/:runId/report", options, async ({ params: { runId } }, reply) => {
    const run = runOf(runs, runId);
    if (!run.hasResult) return reply.redirect(`../${runId}`);
    const result = await resultOf(run);
    const { resultHtml } = await import("../report/html.js");
    return sendReport(reply, await resultHtml(result, { isServed: true }));
  });
}
