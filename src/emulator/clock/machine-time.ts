import type { SystemTime } from "./system-time.js";

/** The clocks and timers of this machine. */
export const MACHINE_TIME: SystemTime = {
  originMs: performance.timeOrigin,
  steadyMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return () => {
      clearTimeout(timer);
    };
  },
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs).unref();
    return () => {
      clearInterval(timer);
    };
  },
};
