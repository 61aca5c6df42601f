import { activityWeight } from "./admission.js";
import type { ReadyItem, WorkName } from "./dispatcher.js";
import type { TaskRequest } from "../../protocol/history-event.js";
import type { Instance } from "../instance/instance.js";
import { describeTask } from "../../protocol/orchestrator-actions.js";
import type { Worker } from "./worker.js";

/** What leases an item to a worker and encodes it. */
export interface Senders {
  readonly episode: (episode: EpisodeItem, worker: Worker) => Uint8Array;
  readonly activity: (activity: ActivityItem, task: TaskRequest, worker: Worker) => Uint8Array;
}

// Classes, since a hundred thousand may wait: what an object literal has of functions is made for each.

/** The next episode of an instance. */
export class EpisodeItem implements ReadyItem {
  readonly #senders: Senders;
  readonly newcomer: "root" | "child" | undefined;

  constructor(
    readonly instance: Instance,
    readonly refusedBy: ReadonlySet<Worker> | undefined,
    senders: Senders,
  ) {
    this.#senders = senders;
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
    return this.instance.ended || this.instance.readyItem !== this;
  }

  encode(worker: Worker): Uint8Array | undefined {
    const { instance } = this;
    if (this.isOver()) return undefined;

    instance.readyItem = undefined;
    if (instance.paused) {
      // It was suspended while it waited for a worker: it is looked at again when it is resumed.
      instance.episode = "idle";
      return undefined;
    }
    return this.#senders.episode(this, worker);
  }
}

/** An activity of an execution of an instance. */
export class ActivityItem implements ReadyItem {
  readonly #senders: Senders;
  readonly weight: number;

  constructor(
    readonly instance: Instance,
    readonly executionId: string,
    readonly taskId: number,
    readonly refusedBy: ReadonlySet<Worker> | undefined,
    senders: Senders,
  ) {
    this.#senders = senders;
    this.weight = weightOf(this.#task);
  }

  get kind(): "activity" {
    return "activity";
  }

  /** One without a version is taken to be of its orchestration's: JavaScript and Python schedule no other. */
  get work(): WorkName {
    const { name, version } = describeTask(this.#task);
    return { name, version: version || this.instance.versionText };
  }

  isOver(): boolean {
    return this.#task === undefined;
  }

  encode(worker: Worker): Uint8Array | undefined {
    const task = this.#task;
    return task && this.#senders.activity(this, task, worker);
  }

  get #task(): TaskRequest | undefined {
    return this.instance.task(this.executionId, this.taskId);
  }
}

/** See `activityWeight`. */
export function weightOf(task: TaskRequest | undefined): number {
  let bytes = 0;
  for (const field of task?.head ?? []) bytes += field.length;
  return activityWeight(bytes);
}
