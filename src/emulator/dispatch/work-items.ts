import type { Admission } from "./admission.js";
import type { Clock } from "../clock/clock.js";
import { EventType, orchestratorStarted } from "../../protocol/history-event.js";
import type { Lease, LeaseTable } from "./leases.js";
import type { ActivityItem, EpisodeItem } from "./ready-items.js";
import type { Choice } from "./matcher.js";
import { bytesOf } from "../../protocol/grpc-frame.js";
import { activityWorkItem, episodeWorkItem } from "../../protocol/write-work-item.js";
import type { Worker } from "./worker.js";

/** Longer histories are not sent to a worker that asks for them by itself: gRPC takes messages of 4 MiB by default. */
const MOST_HISTORY_BYTES = 1_048_576;

/** Leases what was chosen to its worker, and writes it out: an episode takes along the events that are on disk by then. */
export class WorkItems {
  readonly #leases: LeaseTable;
  readonly #admission: Admission;
  readonly #clock: Pick<Clock, "nowUs">;
  readonly #newToken: () => string;

  constructor(leases: LeaseTable, admission: Admission, clock: Pick<Clock, "nowUs">, newToken: () => string) {
    this.#leases = leases;
    this.#admission = admission;
    this.#clock = clock;
    this.#newToken = newToken;
  }

  send({ item, worker }: Choice<EpisodeItem | ActivityItem>): void {
    if (item.kind === "activity") {
      this.#sendActivity(item, worker);
    } else if (item.instance.paused) {
      // It was suspended while it waited for a worker: it is looked at again when it is resumed.
      item.instance.dispatch.withdraw(item);
    } else {
      this.#sendEpisode(item, worker);
    }
  }

  #sendEpisode(item: EpisodeItem, worker: Worker): void {
    const { instance, newcomer } = item;
    const { dispatch } = instance;
    const started = orchestratorStarted(this.#clock.nowUs());
    const taken = instance.waiting.slice(0, instance.takeCount);
    const token = this.#newToken();
    const history = instance.history.bytes;
    const parts = episodeWorkItem({
      head: instance.head,
      history,
      newEvents: [started, ...taken.map(({ event }) => event)],
      token,
      knownBytes: dispatch.bytesKnownTo(worker),
      withoutHistory: worker.streamsHistory && history.length > MOST_HISTORY_BYTES,
      trace: instance.trace,
    });
    const lease: Lease = {
      kind: "episode",
      token,
      instance,
      worker,
      bytes: bytesOf(parts),
      started,
      eventCount: taken.length,
      resultCount: taken.filter(({ type }) => type === EventType.TaskCompleted).length,
      partial: !dispatch.isUrgent && instance.outstanding,
      isFirst: newcomer !== undefined,
    };
    this.#leases.grant(lease);
    if (newcomer !== undefined) this.#admission.begin(token, instance.name);

    dispatch.lease(item);
    worker.send(lease, ...parts);
  }

  #sendActivity({ instance, executionId, taskId, task }: ActivityItem, worker: Worker): void {
    const token = this.#newToken();
    const bytes = activityWorkItem(instance.parentField(executionId), taskId, task, token);
    const lease: Lease = {
      kind: "activity",
      token,
      instance,
      worker,
      bytes: bytes.length,
      taskId,
      executionId,
    };
    this.#leases.grant(lease);
    worker.send(lease, bytes);
  }
}
