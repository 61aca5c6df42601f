/** `OrchestrationStatus` of the protocol. */
export const Status = {
  Running: 0,
  Completed: 1,
  ContinuedAsNew: 2,
  Failed: 3,
  Canceled: 4,
  Terminated: 5,
  Pending: 6,
  Suspended: 7,
} as const;

/** The statuses of an instance that has ended for good. */
export const TERMINAL: readonly number[] = [Status.Completed, Status.Failed, Status.Canceled, Status.Terminated];

/** Whether an instance of that status has ended for good. */
export function isTerminal(status: number): boolean {
  return TERMINAL.includes(status);
}

/** What that status is called; "Unknown" if it is none. */
export function statusName(status: number): string {
  return Object.entries(Status).find(([, number]) => number === status)?.[0] ?? "Unknown";
}
