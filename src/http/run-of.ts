import type { ListedRun } from "../runs/listed-run.js";
import { MOST_KEPT, type ServedRuns } from "../runs/served-runs.js";
import { FanoutError } from "../errors.js";
import type { RunResult } from "../result/run-result.js";
import type { ResultText } from "../runs/result-text.js";
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
  return (await run.readResult()) ?? refuseResult(run);
}

/** @throws HttpError if the run has no result, or none yet */
export async function resultTextOf(run: ListedRun): Promise<ResultText> {
  return (await run.openResult()) ?? refuseResult(run);
}

function refuseResult(run: ListedRun): never {
  throw refusalOf(
    run.hasEnded
      ? new FanoutError("no-result", whyNone(run))
      : new FanoutError("run-in-progress", "The run has not ended.", { hint: "Follow its events until it ends." }),
  );
}

function whyNone({ hasResult, status, failure }: ListedRun): string {
  if (hasResult) return "The file with the result of the run is gone, or was changed.";
  const why = failure?.message ?? "";
  return status === "failed" ? `The run ended without a result. ${why}`.trim() : why;
}
