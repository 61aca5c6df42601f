import { ActivityContext, type TActivity } from "@microsoft/durabletask-js";
import type { Workload } from "../orchestrations/workload.js";
import { readRequestHead } from "../protocol/orchestrator-request.js";
import {
  readActivityRequest,
  writeActivityFailure,
  writeActivityResult,
  type WorkItem,
} from "../protocol/read-work-item.js";
import { OrchestratorExecutor, type EpisodeCounts, type OrchestratorExecutorOptions } from "./orchestrator-executor.js";
import type { SessionCounts } from "./session-cache.js";
import type { StrayItem } from "./stray-work.js";

/** A work item that has to be executed. */
export type RunnableWorkItem = Extract<WorkItem, { kind: "orchestrator" | "activity" }>;

/** The outcome of a work item: the bytes of its completion, or the fact that this worker does not host it. */
export type Execution =
  | { readonly kind: "completion"; readonly message: Buffer; /** Of an activity. */ readonly failed: boolean }
  | { readonly kind: "stray"; readonly item: StrayItem };

/** Executes work items: bytes in, the bytes of the completion out. */
export class Executor {
  readonly #orchestrators: OrchestratorExecutor;
  readonly #activities: ReadonlyMap<string, TActivity<unknown, unknown>>;

  /** Episodes respect the slice. */
  constructor(
    { orchestrators, activities }: Workload,
    options: Pick<OrchestratorExecutorOptions, "slice" | "replay"> = {},
  ) {
    this.#orchestrators = new OrchestratorExecutor(orchestrators, options);
    this.#activities = new Map(Object.entries(activities));
  }

  /** A failure of the workload is a completion too. Rejects only if the request cannot be read. */
  execute(item: RunnableWorkItem): Promise<Execution> {
    return item.kind === "activity"
      ? this.#executeActivity(item.request, item.completionToken)
      : this.#executeOrchestrator(item);
  }

  get episodes(): Readonly<EpisodeCounts> {
    return this.#orchestrators.episodes;
  }

  get sessions(): SessionCounts {
    return this.#orchestrators.sessions;
  }

  /** The backend has not accepted the result of an episode. */
  discard(item: Extract<WorkItem, { kind: "orchestrator" }>): void {
    this.#orchestrators.discard(item);
  }

  async #executeOrchestrator(item: Extract<WorkItem, { kind: "orchestrator" }>): Promise<Execution> {
    const name = this.#orchestrators.strayName(item);
    if (name !== undefined) {
      const { kind, completionToken } = item;
      return { kind: "stray", item: { kind, name, id: readRequestHead(item.request).instanceId, completionToken } };
    }
    return { kind: "completion", message: await this.#orchestrators.execute(item), failed: false };
  }

  async #executeActivity(bytes: Uint8Array, completionToken: string): Promise<Execution> {
    const request = readActivityRequest(bytes);
    const { name, instanceId, taskId } = request;
    const activity = this.#activities.get(name);
    if (activity === undefined)
      return { kind: "stray", item: { kind: "activity", name, id: `${instanceId}#${taskId}`, completionToken } };

    return this.#run(activity, request, completionToken);
  }

  async #run(
    activity: TActivity<unknown, unknown>,
    request: ReturnType<typeof readActivityRequest>,
    completionToken: string,
  ): Promise<Execution> {
    try {
      const input: unknown = request.input === "" ? undefined : JSON.parse(request.input);
      const output: unknown = await activity(new ActivityContext(request.instanceId, request.taskId), input);
      const message = writeActivityResult(request, completionToken, JSON.stringify(output) ?? "");
      return { kind: "completion", message, failed: false };
    } catch (error) {
      return {
        kind: "completion",
        message: writeActivityFailure(request, completionToken, error, false),
        failed: true,
      };
    }
  }
}
