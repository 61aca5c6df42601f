import { clientClock } from "../async/clock.js";
import { liveView } from "../report/live.js";
import type { CommandIo } from "./io.js";

/** Shows how many of `total` instances are done, until it is stopped. It may be stopped more than once. */
export function counting(io: CommandIo, total: number) {
  const startedMs = clientClock();
  let count = 0;
  const view = liveView(io.stderr, () => ({
    elapsedMs: clientClock() - startedMs,
    orchestrations: { total, started: total, ended: count },
    activities: { total: 0, completed: 0 },
    responseMs: undefined,
  }));
  view.start();
  return {
    add: (more: number): void => void (count += more),
    get count(): number {
      return count;
    },
    stop: (): void => view.stop(),
  };
}
