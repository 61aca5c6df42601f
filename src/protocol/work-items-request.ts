import { GetWorkItemsRequestSchema } from "./durabletask_pb.js";
import { writeMessage } from "./messages.js";

/** The work that a worker asks for: its names, and the number of items at a time. */
export interface WantedWork {
  readonly orchestrators: readonly string[];
  readonly activities: readonly string[];
  readonly mostOrchestrators: number;
  readonly mostActivities: number;
  /** Whether each episode needs the whole history. */
  readonly replaysAlways: boolean;
}

/** A GetWorkItemsRequest. Its filters name no entity, so that no work of entities is sent. */
export function writeWorkItemsRequest(wanted: WantedWork): Buffer {
  return writeMessage(GetWorkItemsRequestSchema, {
    maxConcurrentOrchestrationWorkItems: wanted.mostOrchestrators,
    maxConcurrentActivityWorkItems: wanted.mostActivities,
    workItemFilters: {
      orchestrations: wanted.orchestrators.map(anyVersionOf),
      activities: wanted.activities.map(anyVersionOf),
    },
    keepsResults: true,
    replaysAlways: wanted.replaysAlways,
  });
}

function anyVersionOf(name: string): { readonly name: string } {
  return { name };
}
