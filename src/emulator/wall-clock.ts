/** Further apart than this, the system's clock was set and the steady one follows it. */
const STEP_MS = 20;

/** Microseconds since the epoch, finer than Date.now() and steady between two adjustments of the system's clock. */
export function createWallClock(): () => number {
  let originMs = performance.timeOrigin;
  return () => {
    const steadyMs = performance.now();
    const wallMs = Date.now();
    if (Math.abs(originMs + steadyMs - wallMs) > STEP_MS) {
      originMs = wallMs - steadyMs;
    }
    return Math.round((originMs + steadyMs) * 1000);
  };
}
