import { ActivityContext, NoOpLogger, TaskHubGrpcWorker, type TActivity } from "@microsoft/durabletask-js";
import type { Workload } from "../orchestrations/workload.js";
import {
  readActivityRequest,
  withCompletionToken,
  writeActivityFailure,
  writeActivityResult,
  type WorkItem,
} from "../wire/work-item.js";

/** A work item that asks for something to be run. */
export type RunnableWorkItem = Extract<WorkItem, { kind: "orchestrator" | "activity" }>;

/** A workload run on work items: bytes in, the bytes of the completion out. Orchestrators run in the SDK's executor. */
export class Executor {
  // Hosts the SDK's executor and nothing else: it is never started, so it opens no connection.
  readonly #sdk = new TaskHubGrpcWorker({ logger: new NoOpLogger() });
  readonly #activities: ReadonlyMap<string, TActivity<unknown, unknown>>;

  constructor(workload: Workload) {
    for (const [name, orchestrator] of Object.entries(workload.orchestrators)) {
      this.#sdk.addNamedOrchestrator(name, orchestrator);
    }
    this.#activities = new Map(Object.entries(workload.activities));
  }

  /** A failure of the workload is a completion too: this rejects only for a request that cannot be read. */
  async execute({ kind, request, completionToken }: RunnableWorkItem): Promise<Buffer> {
    return kind === "activity"
      ? this.#executeActivity(request, completionToken)
      : withCompletionToken(await this.#sdk.processOrchestratorRequest(request), completionToken);
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
