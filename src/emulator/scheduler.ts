import { setAlarm } from "./alarm.js";
import { Dispatcher, type ReadyItem } from "./dispatcher.js";
import { EventType, orchestratorStarted } from "./history.js";
import { HoldPolicy } from "./hold-policy.js";
import type { Instance } from "./instance.js";
import type { EpisodeLease, LeaseTable } from "./leases.js";
import { Status } from "./status.js";
import { activityWorkItem, episodeWorkItem } from "./work-item.js";

/** The alarm of a start that is scheduled for later; timers of orchestrators have ids above it. */
const SCHEDULED_START = -1;

/**
 * Decides when the work of an instance is ready, and turns it into work items when it is sent. It hears of what happens
 * once that is on disk, and an episode takes along the events that are.
 */
export class Scheduler {
  readonly dispatcher = new Dispatcher();
  readonly #holds: HoldPolicy;
  readonly #leases: LeaseTable;
  readonly #clock: () => number;
  readonly #newToken: () => string;

  constructor(leases: LeaseTable, clock: () => number, newToken: () => string, mostHoldMs?: number) {
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
    const { durableCount } = instance;
    if (instance.ended || instance.episode !== "idle" || durableCount === 0) {
      return;
    }
    // A start that is scheduled for later waits for its time, unless something else has come in for it meanwhile.
    const startInMs = (instance.scheduledStartUs - this.#clock()) / 1000;
    if (instance.status === Status.Pending && startInMs > 0 && durableCount === 1) {
      this.#wake(instance, startInMs);
      return;
    }
    const heldMs = performance.now() - (instance.heldSinceMs ?? 0);
    if (instance.urgent || !instance.outstanding || heldMs >= instance.holdMs) {
      clearTimeout(instance.holdTimer);
      instance.holdTimer = undefined;
      instance.episode = "ready";
      this.dispatcher.enqueue(this.#episodeItem(instance));
    } else {
      instance.holdTimer ??= setTimeout(() => {
        instance.holdTimer = undefined;
        this.consider(instance);
        this.dispatcher.pump();
      }, instance.holdMs - heldMs);
    }
  }

  enqueueTask(instance: Instance, taskId: number): void {
    this.dispatcher.enqueue(this.#activityItem(instance, taskId));
  }

  /** Takes in what an episode showed about waiting. */
  learn(lease: EpisodeLease, fruitful: boolean): void {
    if (lease.partial) {
      lease.instance.holdMs = this.#holds.learn(lease.instance.name, lease.instance.holdMs, fruitful);
    }
  }

  #wake(instance: Instance, delayMs: number): void {
    instance.setAlarm(
      SCHEDULED_START,
      setAlarm(delayMs, () => {
        this.consider(instance);
        this.dispatcher.pump();
      }),
    );
  }

  #episodeItem(instance: Instance): ReadyItem {
    return {
      instance,
      encode: (worker) => {
        if (instance.ended || instance.episode !== "ready") {
          return undefined;
        }
        const started = orchestratorStarted(this.#clock());
        const taken = instance.waiting.slice(0, instance.durableCount);
        const lease: EpisodeLease = {
          kind: "episode",
          token: this.#newToken(),
          instance,
          worker,
          started,
          eventCount: taken.length,
          resultCount: taken.filter(({ type }) => type === EventType.TaskCompleted).length,
          partial: !instance.urgent && instance.outstanding,
        };
        this.#leases.grant(lease);
        instance.episode = "leased";
        instance.urgent = false;
        instance.heldSinceMs = undefined;
        const newEvents = [started, ...taken.map(({ event }) => event)];
        const knownBytes = instance.remembered?.worker === worker ? instance.remembered.bytes : 0;
        return episodeWorkItem(instance.head, instance.history.bytes, newEvents, lease.token, knownBytes);
      },
    };
  }

  #activityItem(instance: Instance, taskId: number): ReadyItem {
    const { executionId } = instance;
    return {
      instance,
      encode: (worker) => {
        const task = instance.state.tasks.get(taskId);
        if (instance.ended || instance.executionId !== executionId || task === undefined) {
          return undefined;
        }
        const token = this.#newToken();
        this.#leases.grant({ kind: "activity", token, instance, worker, taskId, executionId });
        return activityWorkItem(instance.parent, taskId, task, token);
      },
    };
  }
}
