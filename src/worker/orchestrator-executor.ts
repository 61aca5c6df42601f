import { NoOpLogger, TaskHubGrpcWorker, type TOrchestrator } from "@microsoft/durabletask-js";
import type { Workload } from "../orchestrations/workload.js";
import { frameEnd, framesWithin } from "../wire/event-frames.js";
import {
  findHistoryEnd,
  readOrchestratorName,
  readRequestHead,
  withoutBytes,
  type RequestHead,
} from "../wire/orchestrator-request.js";
import { decodeMessage, pb } from "../wire/sidecar-stubs.js";
import { writeHistoryRequest, type WorkItem } from "../wire/work-item.js";
import { HistoryCache } from "./history-cache.js";
import { KnownHistory } from "./known-history.js";
import { TimeSlice } from "./time-slice.js";

type OrchestratorItem = Extract<WorkItem, { kind: "orchestrator" }>;
type OrchestratorRequest = InstanceType<typeof pb.OrchestratorRequest>;
type OrchestratorResponse = InstanceType<typeof pb.OrchestratorResponse>;
type HistoryEvent = InstanceType<typeof pb.HistoryEvent>;

export interface OrchestratorExecutorOptions {
  readonly histories?: HistoryCache;
  /** What an episode may take of a turn of the event loop. */
  readonly slice?: TimeSlice;
}

/**
 * Runs episodes in the SDK's executor, whose replay is what users run, but decodes no event twice: decoding costs more
 * than replaying. What is remembered of a history changes how long an episode takes, never what comes of it.
 */
export class OrchestratorExecutor {
  // Hosts the SDK's executor and nothing else: it is never started, so it opens no connection.
  readonly #sdk = new TaskHubGrpcWorker({ logger: new NoOpLogger() });
  readonly #hosted: ReadonlySet<string>;
  readonly #histories: HistoryCache;
  readonly #slice: TimeSlice;

  constructor(orchestrators: Workload["orchestrators"], options: OrchestratorExecutorOptions = {}) {
    const { histories = new HistoryCache(), slice = new TimeSlice() } = options;
    for (const [name, orchestrator] of Object.entries(orchestrators)) {
      this.#sdk.addNamedOrchestrator(name, sliced(orchestrator, slice));
    }
    this.#hosted = new Set(Object.keys(orchestrators));
    this.#histories = histories;
    this.#slice = slice;
  }

  /** The name that is asked for, where it is not hosted here. Throws where the request cannot be read. */
  strayName({ request, knownHistory }: OrchestratorItem): string | undefined {
    // Of what it is known to know, this worker has run an episode.
    const name = knownHistory > 0 ? undefined : readOrchestratorName(request, readRequestHead(request).historyStart);
    return name === undefined || this.#hosted.has(name) ? undefined : name;
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
    const start = head.historyStart + repeated;
    const end = findHistoryEnd(bytes, start);
    // Nothing but known events is kept from the SDK's own decoder, so that every other field is what it makes of it.
    const decoded = await this.#decode(bytes, { from: head.historyStart, start, end });
    const { request, newEvents } = decoded;
    const past = history.events.concat(decoded.pastEvents);
    if (end !== undefined) {
      history.append(bytes.subarray(start, end), [...decoded.pastEvents, ...newEvents]);
    }
    // The setters would walk through every event for the sake of writing the message, which nobody does.
    request.getPasteventsList = () => past;
    request.getNeweventsList = () => newEvents;
    const response = await this.#run(request, completionToken);
    if (end !== undefined && !isEnd(response)) {
      this.#histories.put(head.instanceId, history);
    }
    return this.#encode(response);
  }

  /** Encodes a response; many actions part by part. */
  async #encode(response: OrchestratorResponse): Promise<Buffer> {
    const actions = response.getActionsList();
    if (actions.length <= PART_ACTIONS) {
      return bufferOf(response.serializeBinary());
    }
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < actions.length; offset += PART_ACTIONS) {
      await this.#slice.over();
      const part = new pb.OrchestratorResponse();
      part.setActionsList(actions.slice(offset, offset + PART_ACTIONS));
      parts.push(part.serializeBinary());
    }
    response.setActionsList([]);
    const rest = response.serializeBinary();
    // Fields are written in the order of their numbers: the actions stand behind the instance's id.
    const idEnd = frameEnd(rest, 0);
    return Buffer.concat([rest.subarray(0, idEnd), ...parts, rest.subarray(idEnd)]);
  }

  /** Decodes a request without the known events, which stand from `from` to `start`; a long rest of events part by part. */
  async #decode(bytes: Uint8Array, { from, start, end }: HistoryPlace): Promise<DecodedRequest> {
    if (end === undefined || end - start <= PART_BYTES) {
      const request = decodeMessage(pb.OrchestratorRequest, withoutBytes(bytes, from, start - from));
      return { request, pastEvents: request.getPasteventsList(), newEvents: request.getNeweventsList() };
    }
    const request = decodeMessage(pb.OrchestratorRequest, withoutBytes(bytes, from, end - from));
    const pastEvents: HistoryEvent[] = [];
    const newEvents: HistoryEvent[] = [];
    for (let offset = start; offset < end;) {
      const partEnd = framesWithin(bytes, offset, Math.min(offset + PART_BYTES, end));
      // Framed events are a request of their own.
      const part = decodeMessage(pb.OrchestratorRequest, bytes.subarray(offset, partEnd));
      pastEvents.push(...part.getPasteventsList());
      newEvents.push(...part.getNeweventsList());
      offset = partEnd;
      await this.#slice.over();
    }
    return { request, pastEvents, newEvents };
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

/** Events that are decoded in one go, in bytes, and actions that are encoded: a few milliseconds' worth. */
const PART_BYTES = 65_536;
const PART_ACTIONS = 500;

/** Where the events of a request stand: known ones in front of `start`, the others up to `end` if it is known. */
interface HistoryPlace {
  readonly from: number;
  readonly start: number;
  readonly end: number | undefined;
}

interface DecodedRequest {
  readonly request: OrchestratorRequest;
  readonly pastEvents: HistoryEvent[];
  readonly newEvents: HistoryEvent[];
}

/**
 * An orchestrator whose replay stops for a turn when the slice is over. The SDK awaits `resume`, which its context has
 * and its types do not, behind each event that an orchestrator may have waited for.
 */
function sliced(orchestrator: TOrchestrator, slice: TimeSlice): TOrchestrator {
  return (context, input) => {
    const replay = context as typeof context & { resume(): Promise<void> };
    const resume = replay.resume.bind(replay);
    replay.resume = async () => {
      await slice.over();
      await resume();
    };
    return orchestrator(context, input);
  };
}

/** Whether the execution ends with it, be it to continue as new. */
function isEnd(response: OrchestratorResponse): boolean {
  return response.getActionsList().some((action) => action.hasCompleteorchestration());
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
