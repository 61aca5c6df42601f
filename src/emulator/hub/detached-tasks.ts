import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import { DispatchedInstance } from "../dispatch/dispatched-instance.js";
import { Status } from "../../protocol/orchestration-status.js";
import { WaitingBytes } from "../instance/waiting-bytes.js";
import type { DetachedTask } from "../store/store.js";
import type { StringValueBytes } from "../../protocol/wire.js";

/** What stands for an instance of which nothing is left but activities that nobody waits for. */
export function endedInstance(
  { taskHub, instanceId, executionId }: DetachedTask,
  version: StringValueBytes | undefined,
): DispatchedInstance {
  const row = {
    key: 0,
    taskHub,
    instanceId,
    executionId,
    name: "",
    version,
    status: Status.Completed,
    createdUs: 0,
    scheduledStartUs: 0,
    tasksCompleted: 0,
    parentId: undefined,
    parent: undefined,
    tags: [],
    trace: undefined,
  };
  const instance = new DispatchedInstance(
    { row, history: EMPTY_BYTES, nextHistorySeq: 0, waiting: [] },
    new WaitingBytes(),
  );
  instance.stop();
  return instance;
}
