import { Alarms } from "./alarm.js";
import type { Cancel, SystemTime } from "./system-time.js";
import { WallClock } from "./wall-clock.js";

/** The one clock of an emulator. Whatever waits, or asks for the time, does it here. */
export class Clock {
  readonly #time: SystemTime;
  readonly #wall: WallClock;
  readonly #alarms: Alarms;

  constructor(time: SystemTime) {
    this.#time = time;
    this.#wall = new WallClock(time);
    this.#alarms = new Alarms(time, () => this.nowUs());
  }

  /** Milliseconds by a clock that nobody sets: for what takes a while. */
  steadyMs(): number {
    return this.#time.steadyMs();
  }

  /** Microseconds since the epoch: for histories, and for what is due at a time of day. See `WallClock`. */
  nowUs(): number {
    return this.#wall.nowUs();
  }

  /** Calls back once, after that time of the steady clock. */
  after(delayMs: number, callback: () => void): Cancel {
    return this.#time.after(delayMs, callback);
  }

  /** Calls back again and again. */
  every(periodMs: number, callback: () => void): Cancel {
    return this.#time.every(periodMs, callback);
  }

  /** Calls back once `nowUs` has reached that time, however far off it is. See `Alarms`. */
  at(dueUs: number, callback: () => void): Cancel {
    return this.#alarms.set(dueUs, callback);
  }
}
