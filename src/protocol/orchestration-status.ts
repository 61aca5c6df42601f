import { OrchestrationStatus } from "./durabletask_pb.js";

/** The name of a protocol status for people. */
export type StatusName =
  "Running" | "Completed" | "ContinuedAsNew" | "Failed" | "Canceled" | "Terminated" | "Pending" | "Suspended";

/** Numbers of the protocol's OrchestrationStatus. */
export const Status: Readonly<Record<StatusName, number>> = {
  Running: OrchestrationStatus.RUNNING,
  Completed: OrchestrationStatus.COMPLETED,
  ContinuedAsNew: OrchestrationStatus.CONTINUED_AS_NEW,
  Failed: OrchestrationStatus.FAILED,
  Canceled: OrchestrationStatus.CANCELED,
  Terminated: OrchestrationStatus.TERMINATED,
  Pending: OrchestrationStatus.PENDING,
  Suspended: OrchestrationStatus.SUSPENDED,
};

/** The statuses of an instance that has ended. */
export const TERMINAL: readonly number[] = [Status.Completed, Status.Failed, Status.Canceled, Status.Terminated];

/** Whether an instance with that status has ended. */
export function isTerminal(status: number): boolean {
  return TERMINAL.includes(status);
}

const NAMES = new Map<number, StatusName>(Object.entries(Status).map(([name, number]) => [number, name as StatusName]));

/** The name of a status; "Unknown" if it is none. */
export function statusName(status: number): StatusName | "Unknown" {
  return NAMES.get(status) ?? "Unknown";
}
