import type { TActivity, TOrchestrator } from "@microsoft/durabletask-js";
import {
  FAN_OUT_FAN_IN_ACTIVITY,
  FAN_OUT_FAN_IN_ORCHESTRATION,
  FAN_OUT_PART_ORCHESTRATION,
} from "./fan-out-fan-in-contract.js";
import { FanOutFanInActivity, FanOutFanInOrchestration, FanOutFanInPartOrchestration } from "./fan-out-fan-in.js";

/** What a worker hosts, by the names under which a backend asks for it. */
export interface Workload {
  readonly orchestrators: Readonly<Record<string, TOrchestrator>>;
  readonly activities: Readonly<Record<string, TActivity<unknown, unknown>>>;
}

export const fanOutFanInWorkload: Workload = {
  orchestrators: {
    [FAN_OUT_FAN_IN_ORCHESTRATION]: FanOutFanInOrchestration,
    [FAN_OUT_PART_ORCHESTRATION]: FanOutFanInPartOrchestration,
  },
  activities: { [FAN_OUT_FAN_IN_ACTIVITY]: FanOutFanInActivity },
};
