import { setTimeout as sleep } from "node:timers/promises";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import {
  HistoryEventType,
  NoOpLogger,
  OrchestrationStatus,
  TaskHubGrpcClient,
  type HistoryEvent,
  type OrchestrationState,
} from "@microsoft/durabletask-js";
import { ADMIN_SERVICE, type HubProgress } from "../../../src/protocol/admin.js";
import type { FanoutProcess } from "./fanout-process.js";

const TASK_HUB = "default";

/** Looks into an emulator from outside: with the SDK's own client, which knows nothing of fanout's books. */
export class HubInspector {
  readonly #client: TaskHubGrpcClient;

  constructor(readonly socket: string) {
    this.#client = new TaskHubGrpcClient({
      hostAddress: `unix:${socket}`,
      logger: new NoOpLogger(),
      metadataGenerator: async () => hubMetadata(),
    });
  }

  async instances(instanceIdPrefix: string): Promise<readonly OrchestrationState[]> {
    const found: OrchestrationState[] = [];
    const query = { instanceIdPrefix, fetchInputsAndOutputs: true, pageSize: 50 };
    for await (const instance of this.#client.getAllInstances(query)) found.push(instance);
    return found;
  }

  /** Activities by the outputs of completed instances. */
  async completedActivities(instanceIdPrefix: string): Promise<number> {
    const instances = await this.instances(instanceIdPrefix);
    return instances
      .filter(({ runtimeStatus }) => runtimeStatus === OrchestrationStatus.COMPLETED)
      .map(({ serializedOutput }) => JSON.parse(serializedOutput ?? "{}") as { readonly totalActivities: number })
      .reduce((sum, { totalActivities }) => sum + totalActivities, 0);
  }

  /**
   * The Scheduler's billing units of what the histories of all instances hold that begin so. The start of a
   * sub-orchestration is counted in its own history alone.
   */
  async billed(instanceIdPrefix: string): Promise<number> {
    let billed = 0;
    for (const { instanceId } of await this.instances(instanceIdPrefix))
      billed += billedIn(await this.history(instanceId));
    return billed;
  }

  history(instanceId: string): Promise<readonly HistoryEvent[]> {
    return this.#client.getOrchestrationHistory(instanceId);
  }

  async close(): Promise<void> {
    await this.#client.stop();
  }
}

/** The ids of activities that a history schedules and of those that it completes, each as often as it stands there. */
export function activitiesIn(history: readonly HistoryEvent[]): {
  readonly scheduled: readonly number[];
  readonly completed: readonly number[];
} {
  return {
    scheduled: history
      .flatMap((event) => (event.type === HistoryEventType.TaskScheduled ? [event.eventId] : []))
      .sort((a, b) => a - b),
    completed: history
      .flatMap((event) => (event.type === HistoryEventType.TaskCompleted ? [event.taskScheduledId] : []))
      .sort((a, b) => a - b),
  };
}

const BILLED: ReadonlySet<HistoryEventType> = new Set([
  HistoryEventType.ExecutionStarted,
  HistoryEventType.TaskScheduled,
  HistoryEventType.TaskCompleted,
  HistoryEventType.TaskFailed,
  HistoryEventType.SubOrchestrationInstanceCompleted,
  HistoryEventType.SubOrchestrationInstanceFailed,
  HistoryEventType.TimerFired,
  HistoryEventType.EventRaised,
  HistoryEventType.ExecutionSuspended,
  HistoryEventType.ExecutionResumed,
  HistoryEventType.ExecutionTerminated,
]);

/** The Scheduler's billing units of what a history holds. */
function billedIn(history: readonly HistoryEvent[]): number {
  return history.filter(({ type }) => BILLED.has(type)).length;
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** What the emulator tells of its default hub as work goes on there, its restarts included. It never starts one. */
async function* watchHub(socket: string, signal: AbortSignal): AsyncIterable<HubProgress> {
  const options = { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 100 };
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), options);
  const request = Buffer.from(JSON.stringify({ taskHub: TASK_HUB, instanceIdPrefix: "" }));
  try {
    while (!signal.aborted) {
      const stream = client.makeServerStreamRequest(`/${ADMIN_SERVICE}/Watch`, asIs, asIs, request);
      const cancel = (): void => stream.cancel();
      signal.addEventListener("abort", cancel);
      try {
        for await (const message of stream) yield JSON.parse(String(message)) as HubProgress;
      } catch (error) {
        if (!isAway(error)) throw error;
      }
      signal.removeEventListener("abort", cancel);
      await sleep(50);
    }
  } finally {
    client.close();
  }
}

/** How a call ends when the emulator is killed, or is not there yet. */
function isAway(error: unknown): boolean {
  const codes: readonly unknown[] = [status.UNAVAILABLE, status.CANCELLED, status.INTERNAL];
  return error instanceof Error && "code" in error && codes.includes(error.code);
}

/**
 * Resolves once at least so many activities of the hub have completed. Rejects where whoever wants them done ends before
 * that was seen: nobody else would.
 */
export async function activitiesReach(count: number, socket: string, by: FanoutProcess): Promise<void> {
  const stop = new AbortController();
  void by.ended.then(() => stop.abort());
  for await (const { activitiesCompleted } of watchHub(socket, stop.signal)) if (activitiesCompleted >= count) return;
  throw new Error(`Expected ${count} activities to complete; the process has ended and said:\n${by.output}`);
}

export function hubMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set("taskhub", TASK_HUB);
  return metadata;
}
