import type { Backend } from "../backend/backend.js";
import type { EmulatorAdmin } from "../backend/emulator-admin.js";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { concurrently } from "../async/concurrently.js";
import { iterationProgressOf } from "./iteration-progress.js";
import { instanceIdPrefixOf } from "../plan/run-id.js";
import { isEnded } from "../backend/ended-status.js";
import { activitiesNeededBy, isUnfinished } from "./instance-status.js";
import type { RunTally } from "./run-tally.js";

const SAMPLE_SIZE = 200;
const SAMPLE_CONCURRENCY = 20;

/** Activities of a run, as far as the backend reports them. */
export interface ActivityCount {
  /** The activities that the existing instances need. */
  readonly needed: number;
  readonly completed: number;
  /** True if only a sample of the unfinished instances was read, or if the progress of failed ones is unknown. */
  readonly atLeast?: true;
}

/**
 * Counts the activities of a run until the signal aborts. The embedded emulator reports them as they are committed. On
 * other backends a completed instance counts in full, and at most 200 others are asked for their custom status.
 */
export class RunActivities {
  readonly #client: OrchestrationClient;
  readonly #committed: CommittedActivities | undefined;
  /** All orchestrations of a run have the same input. */
  #each: number | undefined;

  constructor(backend: Backend, runId: string, signal: AbortSignal) {
    this.#client = backend.client;
    const watch = { taskHub: backend.connection.taskHub, instanceIdPrefix: instanceIdPrefixOf(runId) };
    this.#committed = backend.admin && new CommittedActivities(backend.admin, watch, signal);
  }

  /** Undefined for a run without the fan-out/fan-in workload. */
  async count(tally: RunTally, signal: AbortSignal): Promise<ActivityCount | undefined> {
    const { anyId } = tally;
    if (anyId === undefined) return undefined;
    const each = (this.#each ??= await this.#neededBy(anyId, signal));
    if (each === undefined) return undefined;
    const needed = tally.total * each;
    const inFull = tally.count((status) => status === "Completed") * each;
    if (this.#committed) return { needed, completed: Math.max(inFull, await this.#committed.count()) };
    const unfinished = tally.ids(isUnfinished);
    const sampled = await this.#sample(unfinished.slice(0, SAMPLE_SIZE), signal);
    const ended = tally.count(isEnded) * each;
    const all = unfinished.length <= SAMPLE_SIZE && ended === inFull;
    return { needed, completed: inFull + sampled, ...(!all && { atLeast: true }) };
  }

  async #neededBy(instanceId: string, signal: AbortSignal): Promise<number | undefined> {
    const state = await this.#client.getInstance(instanceId, { payloads: true, signal });
    return state && activitiesNeededBy(state);
  }

  async #sample(ids: readonly string[], signal: AbortSignal): Promise<number> {
    let activities = 0;
    await concurrently(ids, SAMPLE_CONCURRENCY, signal, async (id) => {
      const state = await this.#client.getInstance(id, { payloads: true, signal });
      activities += (state && iterationProgressOf(state)?.activitiesCompleted) ?? 0;
    });
    return activities;
  }
}

/** The count that the emulator's admin service streams. */
class CommittedActivities {
  #latest = 0;
  readonly #known = Promise.withResolvers<void>();

  constructor(admin: EmulatorAdmin, watch: Parameters<EmulatorAdmin["watch"]>[0], signal: AbortSignal) {
    this.#follow(admin, watch, signal).then(this.#known.resolve, this.#known.reject);
    // The counting caller gets the error. After the last caller, a broken stream is no error.
    this.#known.promise.catch(() => {});
  }

  async count(): Promise<number> {
    await this.#known.promise;
    return this.#latest;
  }

  async #follow(
    admin: EmulatorAdmin,
    watch: Parameters<EmulatorAdmin["watch"]>[0],
    signal: AbortSignal,
  ): Promise<void> {
    for await (const { activitiesCompleted } of admin.watch(watch, { signal })) {
      this.#latest = Math.max(this.#latest, activitiesCompleted);
      this.#known.resolve();
    }
  }
}
