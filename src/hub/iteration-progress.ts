import type { InstanceState } from "../backend/orchestration-client.js";
import { parseFanOutFanInProgress } from "../orchestrations/fan-out-fan-in-contract.js";

/** The progress in an instance's custom status, if the workload wrote it. */
export function iterationProgressOf(state: InstanceState) {
  if (state.customStatus === undefined) return undefined;
  try {
    return parseFanOutFanInProgress(state.customStatus);
  } catch {
    return undefined;
  }
}
