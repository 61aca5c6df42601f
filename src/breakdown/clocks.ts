import { ClockOffset } from "./clock-offset.js";
import { activitiesOf } from "./critical-path.js";
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
  const workers = new Map<string, ClockOffset>();
  for (const instance of instances) {
    const times = backendTimesOf(instance);
    if (!times) continue;
    observeClient(client, instance, times);
    for (const history of [instance.history, ...instance.children.values()]) {
      for (const { fromUs, toUs, stamps } of activitiesOf(history)) {
        if (!stamps) continue;
        const worker = workers.get(stamps.workerId) ?? new ClockOffset();
        workers.set(stamps.workerId, worker);
        worker.received(fromUs, stamps.startedUs);
        worker.sent(stamps.finishedUs, toUs);
      }
    }
  }
  return { client, workers };
}
