import type { ReadyItem, WorkName } from "./dispatcher.js";
import type { TaskRequest } from "./history-event.js";
import type { Instance } from "./instance.js";
import { describeTask } from "./orchestrator-actions.js";
import { textOf } from "./wire.js";
import type { Worker } from "./worker.js";

/** What leases an item to a worker and encodes it. */
export interface Senders {
  readonly episode: (instance: Instance, worker: Worker) => Uint8Array;
  readonly activity: (activity: ActivityItem, task: TaskRequest, worker: Worker) => Uint8Array;
}

// Classes, since a hundred thousand may wait: what an object literal has of functions is made for each.

/** The next episode of an instance. */
export class EpisodeItem implements ReadyItem {
  constructor(
    readonly instance: Instance,
    readonly refusedBy: ReadonlySet<Worker> | undefined,
    private readonly senders: Senders,
  ) {}

  get kind(): "episode" {
    return "episode";
  }

  get work(): WorkName {
    const { name, version } = this.instance;
    return { name, version: version === undefined ? "" : textOf(version) };
  }

  isOver(): boolean {
    return this.instance.ended;
  }

  encode(worker: Worker): Uint8Array | undefined {
    const { instance } = this;
    if (instance.ended || instance.episode !== "ready") {
      return undefined;
    }
    if (instance.paused) {
      // It was suspended while it waited for a worker: it is looked at again when it is resumed.
      instance.episode = "idle";
      return undefined;
    }
    return this.senders.episode(instance, worker);
  }
}

/** An activity of an execution of an instance. */
export class ActivityItem implements ReadyItem {
  constructor(
    readonly instance: Instance,
    readonly executionId: string,
    readonly taskId: number,
    readonly refusedBy: ReadonlySet<Worker> | undefined,
    private readonly senders: Senders,
  ) {}

  get kind(): "activity" {
    return "activity";
  }

  get work(): WorkName {
    return describeTask(this.#task);
  }

  isOver(): boolean {
    return this.#task === undefined;
  }

  encode(worker: Worker): Uint8Array | undefined {
    const task = this.#task;
    return task && this.senders.activity(this, task, worker);
  }

  get #task(): TaskRequest | undefined {
    return this.instance.task(this.executionId, this.taskId);
  }
}
