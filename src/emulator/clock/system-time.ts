/** Takes a callback back that has not been called yet. */
export type Cancel = () => void;

/** Measures how long something takes. */
export type Stopwatch = Pick<SystemTime, "steadyMs">;

/** Measures, and waits. */
export type SteadyTime = Pick<SystemTime, "steadyMs" | "after" | "every">;

/** The clocks and timers of a machine: `machine-time.ts` has the real ones, tests have virtual ones. */
export interface SystemTime {
  /** Milliseconds since the epoch at which the steady clock began, with a fraction: the system's clock has none. */
  readonly originMs: number;
  /** Milliseconds by a clock that nobody sets. */
  steadyMs(): number;
  /** Milliseconds since the epoch by the system's clock, which may be set. */
  epochMs(): number;
  /** Calls back once after at most 2^31 - 1 ms of the steady clock, in another turn. It keeps no process alive. */
  after(delayMs: number, callback: () => void): Cancel;
  /** Calls back again and again. It keeps no process alive. */
  every(periodMs: number, callback: () => void): Cancel;
}
