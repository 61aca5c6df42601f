import { ClockOffset } from "./clock-offset.js";
import { activitiesOf, type History } from "./critical-path.js";
import { backendTimesOf, observeClient } from "./instance-times.js";
import type { TracedInstance } from "./traced-instance.js";

/** The offsets of the other clocks of a run against the backend's. */
export interface Clocks {
  readonly client: ClockOffset;
  /** By the id of the worker. */
  readonly workers: ReadonlyMap<string, ClockOffset>;
}

/** What all traced instances say about the clocks. */
export function clocksOf(instances: readonly TracedInstance[]): Clocks {
  const client = new ClockOffset();
  const told = instances.flatMap((instance) => {
    const times = backendTimesOf(instance);
    if (times) observeClient(client, instance, times);
    return times ? [instance.history, ...instance.children.values()] : [];
  });
  return { client, workers: workerClocksOf(told) };
}

/** The offsets of workers' clocks against the backend's: an activity starts after it is asked for, and ends before its result. */
export function workerClocksOf(histories: readonly History[]): Clocks["workers"] {
  const workers = new Map<string, ClockOffset>();
  for (const history of histories) {
    for (const { fromUs, toUs, stamps } of activitiesOf(history)) {
      if (!stamps) continue;
      const worker = workers.get(stamps.workerId) ?? new ClockOffset();
      workers.set(stamps.workerId, worker);
      worker.received(fromUs, stamps.startedUs);
      worker.sent(stamps.finishedUs, toUs);
    }
  }
  return workers;
}
