import { Admission } from "./admission.js";
import type { Clock } from "../clock/clock.js";
import { Dispatcher } from "./dispatcher.js";
import { EventType, orchestratorStarted, type TaskRequest } from "../../protocol/history-event.js";
import { HoldPolicy } from "./hold-policy.js";
import type { Instance } from "../instance/instance.js";
import type { EpisodeLease, Lease, LeaseTable } from "./leases.js";
import type { Outcome } from "../instance/orchestration.js";
import { ActivityItem, EpisodeItem, weightOf, type Senders } from "./ready-items.js";
import { ReturnedWork } from "./returned-work.js";
import { activityWorkItem, episodeWorkItem } from "../../protocol/write-work-item.js";
import type { Worker } from "./worker.js";

/** Longer histories are not sent to a worker that asks for them by itself: gRPC takes messages of 4 MiB by default. */
const MOST_HISTORY_BYTES = 1_048_576;

/** The alarm of a start that is scheduled for later; timers of orchestrators have ids above it. */
const SCHEDULED_START = -1;

/**
 * Decides when the work of an instance is ready, and turns it into work items when it is sent. It hears of what happens
 * once that is on disk, and an episode takes along the events that are.
 */
export class Scheduler {
  readonly #admission: Admission;
  readonly dispatcher: Dispatcher;
  readonly #holds: HoldPolicy;
  readonly #returned = new ReturnedWork();
  readonly #senders: Senders = {
    episode: (episode, worker) => this.#sendEpisode(episode, worker),
    activity: (activity, task, worker) => this.#sendActivity(activity, task, worker),
  };
  readonly #leases: LeaseTable;
  readonly #clock: Clock;
  readonly #newToken: () => string;

  constructor(leases: LeaseTable, clock: Clock, newToken: () => string, mostHoldMs?: number) {
    this.#admission = new Admission(clock);
    this.dispatcher = new Dispatcher(clock, this.#admission);
    this.#holds = new HoldPolicy(mostHoldMs);
    this.#leases = leases;
    this.#clock = clock;
    this.#newToken = newToken;
  }

  welcome(instance: Instance): void {
    instance.holdMs = this.#holds.start(instance.name);
  }

  /** Makes the next episode ready if its time has come, else sees to it that it is looked at then. */
  consider(instance: Instance): void {
    if (instance.readyItem?.newcomer !== undefined && instance.terminating) {
      // Its end waits for nobody.
      this.#makeReady(instance);
    }
    if (instance.ended || instance.episode !== "idle" || instance.durableCount === 0) return;

    if (instance.paused) return;

    if (instance.scheduledStartUs > this.#clock.nowUs() && !instance.terminating) {
      this.#wakeAtStart(instance);
      return;
    }
    const heldMs = this.#clock.steadyMs() - (instance.heldSinceMs ?? 0);
    if (instance.urgent || !instance.outstanding || heldMs >= instance.holdMs) {
      instance.stopHolding();
      this.#makeReady(instance);
    } else {
      instance.cancelHold ??= this.#clock.after(instance.holdMs - heldMs, () => {
        instance.cancelHold = undefined;
        this.consider(instance);
        this.dispatcher.pump();
      });
    }
  }

  #makeReady(instance: Instance): void {
    instance.episode = "ready";
    instance.readyItem = new EpisodeItem(instance, this.#returned.refusersOf(instance.waiting[0]), this.#senders);
    this.dispatcher.enqueue(instance.readyItem);
  }

  enqueueTask(instance: Instance, executionId: string, taskId: number): void {
    const refusedBy = this.#returned.refusersOf(instance.task(executionId, taskId));
    this.dispatcher.enqueue(new ActivityItem(instance, executionId, taskId, refusedBy, this.#senders));
  }

  /**
   * A worker does not want what it was sent. It goes to another one if there is any that has not refused it; returns how
   * long it is to rest before, milliseconds.
   */
  refuse(lease: Lease): number {
    if (lease.instance.home === lease.worker) this.dispatcher.leaveHome(lease.instance);

    this.#admission.forget(lease.token);
    return this.#returned.refuse(lease);
  }

  /** Its worker has gone; returns how long it is to rest, milliseconds. */
  lose(lease: Lease): number {
    this.#admission.forget(lease.token);
    return this.#returned.lose(lease);
  }

  /** Takes in what an episode showed: about waiting, and about how much an instance schedules at its beginning. */
  learn(lease: EpisodeLease, { events, taskIds, end }: Outcome): void {
    const { instance } = lease;
    if (lease.partial) {
      const isFruitful = events.length > 0 || end !== undefined;
      instance.holdMs = this.#holds.learn(instance.name, instance.holdMs, isFruitful);
    }
    if (lease.isFirst) {
      const weight = taskIds.reduce((sum, taskId) => sum + weightOf(instance.state.tasks.get(taskId)), 0);
      this.#admission.learn(lease.token, instance.name, weight);
    }
  }

  #wakeAtStart(instance: Instance): void {
    instance.setAlarm(
      SCHEDULED_START,
      this.#clock.at(instance.scheduledStartUs, () => {
        this.consider(instance);
        this.dispatcher.pump();
      }),
    );
  }

  #sendEpisode({ instance, newcomer }: EpisodeItem, worker: Worker): Uint8Array {
    const started = orchestratorStarted(this.#clock.nowUs());
    const taken = instance.waiting.slice(0, instance.takeCount);
    const token = this.#newToken();
    const history = instance.history.bytes;
    const item = episodeWorkItem({
      head: instance.head,
      history,
      newEvents: [started, ...taken.map(({ event }) => event)],
      token,
      knownBytes: instance.remembered?.worker === worker ? instance.remembered.bytes : 0,
      withoutHistory: worker.streamsHistory && history.length > MOST_HISTORY_BYTES,
      trace: instance.trace,
    });
    this.#leases.grant({
      kind: "episode",
      token,
      instance,
      worker,
      bytes: item.length,
      started,
      eventCount: taken.length,
      resultCount: taken.filter(({ type }) => type === EventType.TaskCompleted).length,
      partial: !instance.urgent && instance.outstanding,
      isFirst: newcomer !== undefined,
    });
    if (newcomer !== undefined) this.#admission.begin(token, instance.name);

    instance.episode = "leased";
    instance.urgent = false;
    instance.heldSinceMs = undefined;
    return item;
  }

  #sendActivity({ instance, executionId, taskId }: ActivityItem, task: TaskRequest, worker: Worker): Uint8Array {
    const token = this.#newToken();
    const item = activityWorkItem(instance.parentField(executionId), taskId, task, token);
    this.#leases.grant({ kind: "activity", token, instance, worker, bytes: item.length, taskId, executionId });
    return item;
  }
}
