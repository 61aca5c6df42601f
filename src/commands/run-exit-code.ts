import { ExitCode, firstOf } from "../exit-codes.js";
import type { LoadTestOutcome } from "../load/load-test.js";
import type { RunCall } from "./run-call.js";

/** Of one run that was not interrupted. */
export function exitCodeOfRun(
  { result, gaveUp, aborted }: LoadTestOutcome,
  { allowInvalid }: Pick<RunCall, "allowInvalid">,
): ExitCode {
  const { counts, recount, thresholds, verdict } = result;
  const { started, completed, failed } = counts.orchestrations;
  const lost = recount !== undefined && "lost" in recount && recount.lost.total > 0;
  // Instances that a threshold cut off have not failed.
  const cutOff = !aborted && (gaveUp !== undefined || completed !== (counts.planned ?? started));
  return firstOf([
    ...(failed > 0 || lost || cutOff ? [ExitCode.Failure] : []),
    ...(verdict?.status === "invalid" && !allowInvalid ? [ExitCode.Invalid] : []),
    ...(aborted || thresholds?.some(({ passed }) => !passed) ? [ExitCode.ThresholdMissed] : []),
  ]);
}
