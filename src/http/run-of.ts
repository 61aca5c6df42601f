import type { ServedRun } from "../runs/served-run.js";
import { MOST_KEPT, type ServedRuns } from "../runs/served-runs.js";
import { HttpError } from "./http-error.js";

/** @throws HttpError if the server has no such run */
export function runOf(runs: ServedRuns, runId: string): ServedRun {
  const run = runs.get(runId);
  if (run !== undefined) return run;
  throw new HttpError(404, `The server has no run ${runId}.`, {
    code: "run-not-found",
    hint: `It keeps the last ${MOST_KEPT} that have ended; \`fanout status\` lists those on the task hub.`,
  });
}
