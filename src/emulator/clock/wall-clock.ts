/** Further apart than this, the system's clock was set and the steady one follows it. */
const STEP_MS = 20;
/** What the system's clock may be set back by without being followed at once: as much as its keepers correct by themselves. */
const MOST_WAITED_MS = 10_000;

/**
 * Microseconds since the epoch, finer than Date.now() and steady between two adjustments of the system's clock.
 *
 * Orchestrators read the time off histories, and no orchestrator is written for time that goes back. So where the
 * system's clock was set back this one goes on at half its speed until the other has caught up. Not where that would take
 * longer than `MOST_WAITED_MS` twice: then somebody has mended a clock that was wrong, starts that are scheduled from now on
 * are meant by the new time, and the histories of what is in flight do go back.
 */
export function createWallClock(): () => number {
  let originMs = performance.timeOrigin;
  let lastMs = performance.now();
  return () => {
    const steadyMs = performance.now();
    const aheadMs = originMs + steadyMs - Date.now();
    if (aheadMs < -STEP_MS || aheadMs > MOST_WAITED_MS) originMs -= aheadMs;
    else if (aheadMs > STEP_MS) originMs -= Math.min(aheadMs, (steadyMs - lastMs) / 2);

    lastMs = steadyMs;
    return Math.round((originMs + steadyMs) * 1000);
  };
}
