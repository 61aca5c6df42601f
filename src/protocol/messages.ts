/** Requests of TaskHubSidecarService, as far as the emulator reads them: field numbers of orchestrator_service.proto. */

export const CreateInstanceRequest = {
  instanceId: [1, "string"],
  name: [2, "string"],
  version: [3, "bytes"],
  input: [4, "bytes"],
  scheduledStart: [5, "timestamp"],
  idReusePolicy: [6, "bytes"],
  executionId: [7, "stringValue"],
  tags: [8, "messages"],
  traceContext: [9, "bytes"],
} as const;

/** In its older form it had an action as well; without one it says which instances are replaced. */
export const IdReusePolicy = { statuses: [1, "enums"], action: [2, "int32"] } as const;

export const GetInstanceRequest = {
  instanceId: [1, "string"],
  payloads: [2, "bool"],
} as const;

export const TerminateRequest = {
  instanceId: [1, "string"],
  output: [2, "bytes"],
  recursive: [3, "bool"],
} as const;

export const RaiseEventRequest = {
  instanceId: [1, "string"],
  name: [2, "string"],
  input: [3, "bytes"],
} as const;

/** SuspendRequest, ResumeRequest and RewindInstanceRequest. */
export const ReasonedRequest = { instanceId: [1, "string"], reason: [2, "bytes"] } as const;

export const RestartInstanceRequest = { instanceId: [1, "string"], withNewId: [2, "bool"] } as const;

export const SkipTerminationsRequest = { batch: [1, "bytes"], reason: [2, "bytes"] } as const;

export const CreateTaskHubRequest = { recreate: [1, "bool"] } as const;

export const QueryInstancesRequest = { query: [1, "bytes"] } as const;

export const InstanceQuery = {
  statuses: [1, "enums"],
  createdFrom: [2, "timestamp"],
  createdTo: [3, "timestamp"],
  taskHubs: [4, "messages"],
  maxInstanceCount: [5, "int32"],
  continuationToken: [6, "stringValue"],
  instanceIdPrefix: [7, "stringValue"],
  payloads: [8, "bool"],
} as const;

export const ListInstanceIdsRequest = {
  statuses: [1, "enums"],
  completedFrom: [2, "timestamp"],
  completedTo: [3, "timestamp"],
  pageSize: [4, "int32"],
  lastInstanceKey: [5, "stringValue"],
} as const;

export const PurgeInstancesRequest = {
  instanceId: [1, "string"],
  filter: [2, "bytes"],
  recursive: [3, "bool"],
  batch: [4, "bytes"],
} as const;

/** Its timeout is not read: a purge is done in turns that let other calls through, and goes on to its end. */
export const PurgeInstanceFilter = {
  createdFrom: [1, "timestamp"],
  createdTo: [2, "timestamp"],
  statuses: [3, "enums"],
} as const;

export const InstanceBatch = { instanceIds: [1, "strings"] } as const;

export const StreamInstanceHistoryRequest = {
  instanceId: [1, "string"],
  executionId: [2, "stringValue"],
  forWorkItem: [3, "bool"],
} as const;

export const GetWorkItemsRequest = {
  mostEpisodes: [1, "int32"],
  mostActivities: [2, "int32"],
  capabilities: [10, "enums"],
  filters: [11, "bytes"],
  /** Of fanout's own workers alone: they keep a result that could not be written, and send it again. */
  keepsResults: [1000, "bool"],
  /** Of the same: each episode has to come with the whole history, over a link too. */
  replaysAlways: [1001, "bool"],
} as const;

export const WorkItemFilters = { orchestrations: [1, "messages"], activities: [2, "messages"] } as const;

/** OrchestrationFilter and ActivityFilter. */
export const WorkItemFilter = { name: [1, "string"], versions: [2, "strings"] } as const;

export const ActivityResponse = {
  instanceId: [1, "string"],
  taskId: [2, "int32"],
  result: [3, "bytes"],
  failure: [4, "bytes"],
  completionToken: [5, "string"],
} as const;

export const AbandonRequest = { completionToken: [1, "string"] } as const;
