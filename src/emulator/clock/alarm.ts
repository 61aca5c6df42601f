/** The longest delay that setTimeout keeps: a longer one would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** How often it is looked whether the system's clock was set, and what it has to be off by to count as that. */
const LOOK_EVERY_MS = 1_000;
const STEP_MS = 200;

/** All that wait: the system's clock is one for all of them. */
const alarms = new Set<Alarm>();
let watch: NodeJS.Timeout | undefined;

/**
 * Calls back once `clock` has reached `dueUs`, however far off that is; returns what cancels it. Delays are measured by a
 * clock that nobody sets, and that stands still while the machine sleeps. So where the system's clock has gone forward,
 * what is due by it calls back within a second or two, and where it has gone back nothing is early: an orchestrator that
 * compares its time with the timer's never finds that it was woken too soon.
 */
export function setAlarm(dueUs: number, clock: () => number, callback: () => void): () => void {
  const alarm = new Alarm(dueUs, clock, callback);
  alarms.add(alarm);
  alarm.arm();
  watch ??= watchSystemClock();
  return () => {
    alarm.disarm();
  };
}

class Alarm {
  readonly #dueUs: number;
  readonly #clock: () => number;
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout | undefined;

  constructor(dueUs: number, clock: () => number, callback: () => void) {
    this.#dueUs = dueUs;
    this.#clock = clock;
    this.#callback = callback;
  }

  arm(): void {
    clearTimeout(this.#timeout);
    const delayMs = Math.ceil((this.#dueUs - this.#clock()) / 1000);
    this.#timeout = setTimeout(
      () => {
        this.#ring();
      },
      Math.min(Math.max(0, delayMs), MAX_TIMEOUT_MS),
    );
  }

  disarm(): void {
    clearTimeout(this.#timeout);
    alarms.delete(this);
    if (alarms.size === 0) {
      clearInterval(watch);
      watch = undefined;
    }
  }

  #ring(): void {
    if (this.#clock() < this.#dueUs) {
      this.arm();
    } else {
      this.disarm();
      this.#callback();
    }
  }
}

function watchSystemClock(): NodeJS.Timeout {
  let offsetMs = Date.now() - performance.now();
  return setInterval(() => {
    const nowMs = Date.now() - performance.now();
    if (Math.abs(nowMs - offsetMs) > STEP_MS) {
      offsetMs = nowMs;
      for (const alarm of alarms) alarm.arm();
    }
  }, LOOK_EVERY_MS).unref();
}
