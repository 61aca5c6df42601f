import type { DispatchedInstance } from "../dispatch/dispatched-instance.js";

/** What a turn did that somebody has to hear of when it is on disk. */
export interface Turn {
  /** Instances that it gave something to do, and the `seq` of the last event that each of them had received then. */
  readonly touched: Map<DispatchedInstance, number>;
  /** Those whose episode it completed. */
  readonly processed: DispatchedInstance[];
  /** Activities that it scheduled. */
  readonly tasks: { readonly instance: DispatchedInstance; readonly executionId: string; readonly taskId: number }[];
  /** Ids of the instances whose status it changed. */
  readonly changed: Set<string>;
}

export function newTurn(): Turn {
  return { touched: new Map(), processed: [], tasks: [], changed: new Set() };
}
