import type { Cancel, SystemTime } from "./system-time.js";

/** The longest delay that a timer keeps: a longer one would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** How often it is looked whether the system's clock was set, and what it has to be off by to count as that. */
const LOOK_EVERY_MS = 1_000;
const STEP_MS = 200;

/**
 * Alarms by a clock of microseconds. Timers are measured by a clock that nobody sets, and that stands still while the
 * machine sleeps. So alarms look once a second whether the system's clock was set. Where it went forward, what is due by
 * it calls back within a second or two. Where it went back nothing is early: an orchestrator that compares its time with
 * the timer's never finds that it was woken too soon.
 */
export class Alarms {
  readonly #time: SystemTime;
  readonly #nowUs: () => number;
  readonly #waiting = new Set<Alarm>();
  #stopLooking: Cancel | undefined;

  constructor(time: SystemTime, nowUs: () => number) {
    this.#time = time;
    this.#nowUs = nowUs;
  }

  /** Calls back once the clock has reached `dueUs`, however far off that is. */
  set(dueUs: number, callback: () => void): Cancel {
    const alarm: Alarm = { dueUs, callback, cancelTimer: undefined };
    this.#waiting.add(alarm);
    this.#arm(alarm);
    this.#stopLooking ??= this.#lookForSteps();
    return () => {
      this.#disarm(alarm);
    };
  }

  #arm(alarm: Alarm): void {
    alarm.cancelTimer?.();
    const delayMs = Math.ceil((alarm.dueUs - this.#nowUs()) / 1000);
    alarm.cancelTimer = this.#time.after(Math.min(Math.max(0, delayMs), MAX_TIMEOUT_MS), () => {
      this.#ring(alarm);
    });
  }

  #disarm(alarm: Alarm): void {
    alarm.cancelTimer?.();
    this.#waiting.delete(alarm);
    if (this.#waiting.size === 0) {
      this.#stopLooking?.();
      this.#stopLooking = undefined;
    }
  }

  #ring(alarm: Alarm): void {
    if (this.#nowUs() < alarm.dueUs) {
      this.#arm(alarm);
    } else {
      this.#disarm(alarm);
      alarm.callback();
    }
  }

  #lookForSteps(): Cancel {
    const time = this.#time;
    let offsetMs = time.epochMs() - time.steadyMs();
    return time.every(LOOK_EVERY_MS, () => {
      const nowMs = time.epochMs() - time.steadyMs();
      if (Math.abs(nowMs - offsetMs) > STEP_MS) {
        offsetMs = nowMs;
        for (const alarm of this.#waiting) this.#arm(alarm);
      }
    });
  }
}

interface Alarm {
  readonly dueUs: number;
  readonly callback: () => void;
  cancelTimer: Cancel | undefined;
}
