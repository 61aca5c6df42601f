import { NoOpLogger, TaskHubGrpcWorker } from "@microsoft/durabletask-js";
import type { Workload } from "../orchestrations/workload.js";
import { findHistoryEnd, readRequestHead, withoutBytes, type RequestHead } from "../wire/orchestrator-request.js";
import { pb } from "../wire/sidecar-stubs.js";
import { writeHistoryRequest, type WorkItem } from "../wire/work-item.js";
import { HistoryCache } from "./history-cache.js";
import { KnownHistory } from "./known-history.js";

type OrchestratorItem = Extract<WorkItem, { kind: "orchestrator" }>;
type OrchestratorRequest = InstanceType<typeof pb.OrchestratorRequest>;
type OrchestratorResponse = InstanceType<typeof pb.OrchestratorResponse>;

/**
 * Runs episodes in the SDK's executor, whose replay is what users run, but decodes no event twice: decoding costs more
 * than replaying. What is remembered of a history changes how long an episode takes, never what comes of it.
 */
export class OrchestratorExecutor {
  // Hosts the SDK's executor and nothing else: it is never started, so it opens no connection.
  readonly #sdk = new TaskHubGrpcWorker({ logger: new NoOpLogger() });
  readonly #histories: HistoryCache;

  constructor(orchestrators: Workload["orchestrators"], histories = new HistoryCache()) {
    for (const [name, orchestrator] of Object.entries(orchestrators)) {
      this.#sdk.addNamedOrchestrator(name, orchestrator);
    }
    this.#histories = histories;
  }

  /**
   * The bytes of an OrchestratorResponse. Where the backend has left out history that is not known here, it asks for all
   * of it. Rejects where the request cannot be read.
   */
  async execute({ request: bytes, knownHistory, completionToken }: OrchestratorItem): Promise<Buffer> {
    const head = readRequestHead(bytes);
    const history = this.#takeHistory(head);
    if (knownHistory > 0) {
      if (history.framedBytes !== knownHistory) {
        return writeHistoryRequest(head.instanceId, completionToken);
      }
      history.forgetBytes();
    }
    const repeated = knownHistory > 0 ? 0 : history.matchAt(bytes, head.historyStart);
    // Nothing but known events is kept from the SDK's own decoder, so that every other field is what it makes of it.
    const request = pb.OrchestratorRequest.deserializeBinary(withoutBytes(bytes, head.historyStart, repeated));
    const past = history.events.concat(request.getPasteventsList());
    const start = head.historyStart + repeated;
    const end = findHistoryEnd(bytes, start);
    if (end !== undefined) {
      history.append(bytes.subarray(start, end), [...request.getPasteventsList(), ...request.getNeweventsList()]);
    }
    // The setter would walk through every event for the sake of writing the message, which nobody does.
    request.getPasteventsList = () => past;
    const response = await this.#run(request, completionToken);
    if (end !== undefined && !isEnd(response)) {
      this.#histories.put(head.instanceId, history);
    }
    return bufferOf(response.serializeBinary());
  }

  /** While an episode runs, nobody else has its history; if it fails, nobody has it afterwards. */
  #takeHistory({ instanceId, executionId }: RequestHead): KnownHistory {
    const history = this.#histories.take(instanceId);
    return history?.executionId === executionId ? history : new KnownHistory(executionId);
  }

  async #run(request: OrchestratorRequest, completionToken: string): Promise<OrchestratorResponse> {
    const responses: OrchestratorResponse[] = [];
    const sidecar = {
      completeOrchestratorTask(response: OrchestratorResponse, _metadata: unknown, callback: (error: null) => void) {
        responses.push(response);
        callback(null);
      },
    };
    // The one private method that is used: the public processOrchestratorRequest does the same, but only for a request
    // that is not decoded yet. The SDK is pinned to one version, and a test compares the two.
    await this.#sdk["_executeOrchestratorInternal"](request, completionToken, sidecar);
    const [response] = responses;
    if (response === undefined) {
      throw new Error(`The episode of "${request.getInstanceid()}" came to no response`);
    }
    return response;
  }
}

/** Whether the execution ends with it, be it to continue as new. */
function isEnd(response: OrchestratorResponse): boolean {
  return response.getActionsList().some((action) => action.hasCompleteorchestration());
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
