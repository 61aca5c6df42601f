import { activityWeight } from "./admission.js";
import type { DispatchedInstance } from "./dispatched-instance.js";
import type { InstanceDispatch } from "./instance-dispatch.js";
import type { TaskRequest } from "../../protocol/history-event.js";
import { textOf } from "../../protocol/wire.js";
import type { WorkKind, WorkName } from "./work.js";
import type { Worker } from "./worker.js";

/** What waits for a worker. It is encoded when it is sent, so that it holds all that has arrived by then. */
export interface ReadyItem {
  readonly instance: { readonly dispatch: InstanceDispatch; readonly ended: boolean };
  readonly kind: WorkKind;
  readonly work: WorkName;
  /** Of an activity: see `activityWeight`. */
  readonly weight: number;
  /** The first episode of an instance: whether it is one, and of a sub-orchestration. It may have to wait for others. */
  readonly newcomer?: "root" | "child" | undefined;
  /** Workers that have given it back because they do not want it: they get it only where nobody else may. */
  readonly refusedBy?: ReadonlySet<Worker> | undefined;
  /** Whether there is nothing to do for it any more. */
  isOver(): boolean;
}

// Classes, since a hundred thousand may wait: what an object literal has of functions is made for each.

/** The next episode of an instance. */
export class EpisodeItem implements ReadyItem {
  readonly instance: DispatchedInstance;
  readonly refusedBy: ReadonlySet<Worker> | undefined;
  readonly newcomer: "root" | "child" | undefined;

  constructor(instance: DispatchedInstance, refusedBy: ReadonlySet<Worker> | undefined) {
    this.instance = instance;
    this.refusedBy = refusedBy;
    const isFirst = !instance.begun && !instance.terminating;
    this.newcomer = isFirst ? (instance.parentId === undefined ? "root" : "child") : undefined;
  }

  get kind(): "episode" {
    return "episode";
  }

  get weight(): number {
    return 0;
  }

  get work(): WorkName {
    const { name, versionText } = this.instance;
    return { name, version: versionText };
  }

  /** Also where another one has taken its place. */
  isOver(): boolean {
    return this.instance.ended || !this.instance.dispatch.isReadyAs(this);
  }
}

/** An activity of an execution of an instance. */
export class ActivityItem implements ReadyItem {
  readonly instance: DispatchedInstance;
  readonly executionId: string;
  readonly taskId: number;
  readonly task: TaskRequest;
  readonly refusedBy: ReadonlySet<Worker> | undefined;
  readonly weight: number;

  constructor(
    instance: DispatchedInstance,
    { executionId, taskId, task }: Pick<ActivityItem, "executionId" | "taskId" | "task">,
    refusedBy: ReadonlySet<Worker> | undefined,
  ) {
    this.instance = instance;
    this.executionId = executionId;
    this.taskId = taskId;
    this.task = task;
    this.refusedBy = refusedBy;
    this.weight = weightOf(task);
  }

  get kind(): "activity" {
    return "activity";
  }

  /** One without a version is taken to be of its orchestration's: JavaScript and Python schedule no other. */
  get work(): WorkName {
    const task = this.task;
    const version = task?.version === undefined ? "" : textOf(task.version);
    return { name: task?.name ?? "", version: version || this.instance.versionText };
  }

  isOver(): boolean {
    return this.instance.task(this.executionId, this.taskId) === undefined;
  }
}

/** See `activityWeight`. */
export function weightOf(task: TaskRequest | undefined): number {
  const { name = "", version, input } = task ?? {};
  return activityWeight(name.length + (version?.length ?? 0) + (input?.length ?? 0));
}
