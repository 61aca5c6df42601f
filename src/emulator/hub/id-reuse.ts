import type { OrchestrationIdReusePolicy } from "../../protocol/durabletask_pb.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { Status, TERMINAL, statusName } from "../../protocol/orchestration-status.js";

/** What becomes of an instance whose id is asked for and whose status is one of these; of others the start is refused. */
export interface IdReuse {
  readonly statuses: readonly number[];
  /** It makes room, or stays as if it had been started now. */
  readonly action: "replace" | "keep";
}

/** What has ended makes room. A policy that is present and empty lets nothing go. */
const WITHOUT_POLICY: IdReuse = { statuses: TERMINAL, action: "replace" };

/** The statuses of instances that would have to be terminated to make room. */
const RUNNING: readonly number[] = [Status.Running, Status.Pending, Status.Suspended];

/** Field `action` of the policy's older form: its third, to refuse, is not told from the newer form, which has none. */
const OlderAction = { Refuse: 0, Ignore: 1, Terminate: 2 } as const;

/**
 * What the policy of a start says, and what holds without one.
 * @throws RpcError if it contradicts itself
 */
export function idReuse(policy: OrchestrationIdReusePolicy | undefined): IdReuse {
  if (policy === undefined) return WITHOUT_POLICY;

  const { replaceableStatus: statuses, action } = policy;
  switch (action) {
    case OlderAction.Ignore:
      return { statuses, action: "keep" };
    case OlderAction.Terminate:
      return { statuses, action: "replace" };
    case OlderAction.Refuse:
      checkStatuses(statuses);
      return { statuses, action: "replace" };
    default:
      throw new RpcError(
        "INVALID_ARGUMENT",
        `StartInstance: the id reuse policy has the action ${action}, which is none.`,
      );
  }
}

/** An instance that runs is terminated first, and would then be what may not be replaced. */
function checkStatuses(statuses: readonly number[]): void {
  const running = statuses.filter((status) => RUNNING.includes(status));
  if (running.length > 0 && !statuses.includes(Status.Terminated)) {
    throw new RpcError(
      "INVALID_ARGUMENT",
      "Invalid reusable statuses: cannot exclude 'Terminated' while also allowing reuse of running instances " +
        `(${running.map(statusName).join(", ")}). Add Terminated to the policy, or leave those out.`,
    );
  }
}
