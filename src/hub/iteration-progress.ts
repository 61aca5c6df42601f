import type { InstanceState } from "../backend/orchestration-client.js";
import { parseFanOutFanInProgress } from "../orchestrations/fan-out-fan-in-contract.js";

/** What an instance's custom status says, if it is one of ours. */
export function iterationProgressOf(state: InstanceState) {
  if (state.customStatus === undefined) return undefined;
  try {
    return parseFanOutFanInProgress(state.customStatus);
  } catch {
    return undefined;
  }
}
