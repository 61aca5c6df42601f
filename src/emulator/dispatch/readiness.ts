import type { Admission } from "./admission.js";
import type { Clock } from "../clock/clock.js";
import type { DispatchedInstance } from "./dispatched-instance.js";
import { HoldPolicy } from "./hold-policy.js";
import type { Outcome } from "../instance/orchestration.js";
import type { EpisodeLease, Lease } from "./leases.js";
import { ActivityItem, EpisodeItem, weightOf } from "./ready-items.js";
import { RedeliveryBackoff } from "./redelivery-backoff.js";

/** The alarm of a start that is scheduled for later; timers of orchestrators have ids above it. */
const SCHEDULED_START = -1;

export interface ReadinessOptions {
  readonly clock: Clock;
  readonly admission: Admission;
  /** How long an episode waits for more results at most, milliseconds; undefined: as `HoldPolicy` has it. */
  readonly mostHoldMs: number | undefined;
  /** Work that is ready goes there. */
  readonly enqueue: (item: EpisodeItem | ActivityItem) => void;
  /** Something was enqueued because time went by. */
  readonly onLate: () => void;
}

/** Decides when the work of an instance is ready. It hears of what happens once that is on disk. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #clock: Clock;
  readonly #holds: HoldPolicy;
  readonly #backoff = new RedeliveryBackoff();

  constructor(options: ReadinessOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#holds = new HoldPolicy(options.mostHoldMs);
  }

  /** It holds its episodes back as instances of its orchestrator have learned to. */
  add({ name, dispatch }: DispatchedInstance): void {
    dispatch.holdFor(this.#holds.start(name));
  }

  /** Makes the next episode ready if its time has come, else sees to it that it is looked at then. */
  consider(instance: DispatchedInstance): void {
    const { dispatch } = instance;
    // Its end waits for nobody.
    if (dispatch.isNewcomer && instance.terminating) this.#makeReady(instance);
    if (instance.ended || !dispatch.isIdle || instance.durableCount === 0 || instance.paused) return;

    // The clock may have been set back since it began.
    if (!instance.begun && instance.scheduledStartUs > this.#clock.nowUs() && !instance.terminating) {
      this.#lookAgainAtStart(instance);
      return;
    }
    const leftMs = instance.outstanding ? dispatch.leftToHoldMs(this.#clock.steadyMs()) : 0;
    if (leftMs === 0) this.#makeReady(instance);
    else dispatch.holdUntil(() => this.#clock.after(leftMs, () => this.#lookAgain(instance)));
  }

  enqueueTask(instance: DispatchedInstance, executionId: string, taskId: number): void {
    const task = instance.task(executionId, taskId);
    if (task === undefined) return;

    const refusedBy = this.#backoff.refusersOf(task);
    this.#options.enqueue(new ActivityItem(instance, { executionId, taskId, task }, refusedBy));
  }

  /**
   * A worker does not want what it was sent. It goes to another one if there is any that has not refused it; returns how
   * long it is to rest before, milliseconds.
   */
  refuse(lease: Lease): number {
    const { dispatch } = lease.instance;
    if (dispatch.home === lease.worker) dispatch.leaveHome();

    this.#options.admission.forget(lease.token);
    return this.#backoff.refuse(lease);
  }

  /** Its worker has gone; returns how long it is to rest, milliseconds. */
  lose(lease: Lease): number {
    this.#options.admission.forget(lease.token);
    return this.#backoff.lose(lease);
  }

  /** Takes in what an episode showed: about waiting, and about how much an instance schedules at its beginning. */
  learn(lease: EpisodeLease, { events, taskIds, end }: Outcome): void {
    const { instance } = lease;
    const { dispatch } = instance;
    if (lease.partial) {
      const isFruitful = events.length > 0 || end !== undefined;
      dispatch.holdFor(this.#holds.learn(instance.name, dispatch.holdMs, isFruitful));
    }
    if (lease.isFirst) {
      const weight = taskIds.reduce((sum, taskId) => sum + weightOf(instance.state.tasks.get(taskId)), 0);
      this.#options.admission.learn(lease.token, instance.name, weight);
    }
  }

  #makeReady(instance: DispatchedInstance): void {
    const item = new EpisodeItem(instance, this.#backoff.refusersOf(instance.waiting[0]));
    instance.dispatch.makeReady(item);
    this.#options.enqueue(item);
  }

  #lookAgainAtStart(instance: DispatchedInstance): void {
    const cancel = this.#clock.at(instance.scheduledStartUs, () => this.#lookAgain(instance));
    instance.setAlarm(SCHEDULED_START, cancel);
  }

  #lookAgain(instance: DispatchedInstance): void {
    instance.dispatch.stopHolding();
    this.consider(instance);
    this.#options.onLate();
  }
}
