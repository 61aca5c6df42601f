import type { DispatchedInstance } from "../dispatch/dispatched-instance.js";
import type { HubContext } from "./hub-context.js";

/** How long a timer that could not be written waits, microseconds. */
const RETRY_US = 1_000_000;

/** The timers of orchestrators: each fires in a command of the group commit. */
export class Timers {
  readonly #context: Pick<HubContext, "clock" | "commits">;
  readonly #fired: (instance: DispatchedInstance, timerId: number, fireAtUs: number) => void;
  /** Timers that were due when a turn was rolled back go off then, microseconds since the epoch. */
  #retryUs: number | undefined;

  /** `fired` runs in the command. */
  constructor(
    context: Pick<HubContext, "clock" | "commits">,
    fired: (instance: DispatchedInstance, timerId: number, fireAtUs: number) => void,
  ) {
    this.#context = context;
    this.#fired = fired;
  }

  set(instance: DispatchedInstance, timerId: number, fireAtUs: number): void {
    const { clock, commits } = this.#context;
    const nowUs = clock.nowUs();
    const dueUs = fireAtUs > nowUs ? fireAtUs : Math.min(this.#retryUs ?? fireAtUs, nowUs + RETRY_US);
    const fire = (): void => {
      instance.dropAlarm(timerId);
      if (!instance.ended && instance.state.fireTimer(timerId)) this.#fired(instance, timerId, fireAtUs);
    };
    const cancel = clock.at(dueUs, () => {
      // A turn that could not be written is undone by `reload`, which sets the timer anew.
      commits.submit(fire, () => {});
    });
    instance.setAlarm(timerId, cancel);
  }

  /**
   * Instances are read from the store again. A timer that goes off on a disk that is full makes a turn that is rolled
   * back, which sets it anew: at once, it would do nothing else. Rollbacks that come meanwhile put it off no further.
   */
  beginReload(): void {
    const nowUs = this.#context.clock.nowUs();
    if (this.#retryUs === undefined) {
      // The hub begins: nothing was rolled back.
      this.#retryUs = 0;
    } else if (this.#retryUs <= nowUs) {
      this.#retryUs = nowUs + RETRY_US;
    }
  }
}
