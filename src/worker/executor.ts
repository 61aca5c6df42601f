import { ActivityContext, type TActivity } from "@microsoft/durabletask-js";
import type { Workload } from "../orchestrations/workload.js";
import { readActivityRequest, writeActivityFailure, writeActivityResult, type WorkItem } from "../wire/work-item.js";
import { OrchestratorExecutor } from "./orchestrator-executor.js";

/** A work item that asks for something to be run. */
export type RunnableWorkItem = Extract<WorkItem, { kind: "orchestrator" | "activity" }>;

/** A workload run on work items: bytes in, the bytes of the completion out. */
export class Executor {
  readonly #orchestrators: OrchestratorExecutor;
  readonly #activities: ReadonlyMap<string, TActivity<unknown, unknown>>;

  constructor({ orchestrators, activities }: Workload) {
    this.#orchestrators = new OrchestratorExecutor(orchestrators);
    this.#activities = new Map(Object.entries(activities));
  }

  /** A failure of the workload is a completion too: this rejects only for a request that cannot be read. */
  execute(item: RunnableWorkItem): Promise<Buffer> {
    return item.kind === "activity"
      ? this.#executeActivity(item.request, item.completionToken)
      : this.#orchestrators.execute(item);
  }

  async #executeActivity(bytes: Uint8Array, completionToken: string): Promise<Buffer> {
    const request = readActivityRequest(bytes);
    const activity = this.#activities.get(request.name);
    if (activity === undefined) {
      const error = new UnknownActivityError(request.name, [...this.#activities.keys()]);
      return writeActivityFailure(request, completionToken, error, true);
    }
    try {
      const input: unknown = request.input === "" ? undefined : JSON.parse(request.input);
      const output: unknown = await activity(new ActivityContext(request.instanceId, request.taskId), input);
      return writeActivityResult(request, completionToken, JSON.stringify(output) ?? "");
    } catch (error) {
      return writeActivityFailure(request, completionToken, error, false);
    }
  }
}

/** Not retriable: the worker will not know the name the next time either. */
class UnknownActivityError extends Error {
  override readonly name = "UnknownActivityError";

  constructor(activityName: string, hosted: readonly string[]) {
    super(`This worker hosts no activity named "${activityName}", only ${hosted.join(", ")}`);
  }
}
