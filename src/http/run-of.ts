import type { ListedRun } from "../runs/listed-run.js";
import { MOST_KEPT, type ServedRuns } from "../runs/served-runs.js";
import { FanoutError } from "../errors.js";
import type { RunResult } from "../result/run-result.js";
import { HttpError } from "./http-error.js";
import { refusalOf } from "./problem.js";

/** @throws HttpError if the server has no such run */
export function runOf(runs: ServedRuns, runId: string): ListedRun {
  const run = runs.get(runId);
  if (run !== undefined) return run;
  throw new HttpError(404, `The server has no run ${runId}.`, {
    code: "run-not-found",
    hint: `It keeps the last ${MOST_KEPT} that have ended; \`fanout status\` lists those on the task hub.`,
  });
}

/** @throws HttpError if the run has no result, or none yet */
export async function resultOf(run: ListedRun): Promise<RunResult> {
  const result = await run.readResult();
  if (result !== undefined) return result;
  throw refusalOf(
    run.hasResult
      ? new FanoutError("no-result", "The file with the result of the run is gone, or was changed.")
      : run.hasEnded
        ? new FanoutError("no-result", `The run ended without a result. ${run.failure?.message ?? ""}`.trim())
        : new FanoutError("run-in-progress", "The run has not ended.", { hint: "Follow its events until it ends." }),
  );
}
