import type { Workload } from "../orchestrations/workload.js";
import { frameEnd, framesWithin } from "../protocol/event-frames.js";
import {
  findHistoryEnd,
  readOrchestratorName,
  readRequestHead,
  withoutBytes,
} from "../protocol/orchestrator-request.js";
import { writeOrchestratorFailure } from "../protocol/orchestrator-failure.js";
import { StringValue, decodeMessage, pb } from "../protocol/sidecar-stubs.js";
import { writeHistoryRequest, type WorkItem } from "../protocol/read-work-item.js";
import { ExtendedSession } from "./extended-session.js";
import { ExtendedSessions, NO_SESSIONS, type SessionCounts } from "./session-cache.js";
import { DEFAULT_REPLAY, type Replay } from "../protocol/replay.js";
import { SdkExecution, type Episode, type EpisodeOutcome } from "./sdk-execution.js";
import { TimeSlice } from "./time-slice.js";

type OrchestratorItem = Extract<WorkItem, { kind: "orchestrator" }>;
type OrchestratorRequest = InstanceType<typeof pb.OrchestratorRequest>;
type OrchestratorResponse = InstanceType<typeof pb.OrchestratorResponse>;

export interface OrchestratorExecutorOptions {
  readonly replay?: Replay;
  readonly sessions?: ExtendedSessions;
  /** The part of a turn of the event loop that an episode may take. */
  readonly slice?: TimeSlice;
  /** One in this many executions is also replayed in full, and must have the same outcome. */
  readonly checkOneIn?: number;
}

/** Episodes by what they began from. */
export interface EpisodeCounts {
  /** Those of new executions, which have no history. */
  first: number;
  /** Those that continued from an extended session. */
  continued: number;
  /** Those that replayed a history. */
  replayed: number;
  /** Those whose history was left out and is unknown here. They come again, with it. */
  withoutHistory: number;
}

/** Executions are chosen for the check by their ids. */
const CHECK_ONE_IN = 1_000;

/**
 * Executes episodes in the SDK's executor. Between two episodes an execution stays in memory as an extended session, so
 * that it processes each event once. Without a session it replays its whole history, with the same result.
 */
export class OrchestratorExecutor {
  readonly episodes: EpisodeCounts = { first: 0, continued: 0, replayed: 0, withoutHistory: 0 };
  readonly #orchestrators: Workload["orchestrators"];
  readonly #sessions: ExtendedSessions;
  readonly #slice: TimeSlice;
  readonly #checkOneIn: number;

  constructor(orchestrators: Workload["orchestrators"], options: OrchestratorExecutorOptions = {}) {
    this.#orchestrators = orchestrators;
    const { replay = DEFAULT_REPLAY, sessions = new ExtendedSessions(replay === "always" ? NO_SESSIONS : undefined) } =
      options;
    this.#sessions = sessions;
    this.#slice = options.slice ?? new TimeSlice();
    this.#checkOneIn = options.checkOneIn ?? CHECK_ONE_IN;
  }

  get sessions(): SessionCounts {
    return this.#sessions;
  }

  /** The requested name if it is not hosted here. Throws if the request cannot be read. */
  strayName({ request, knownHistory }: OrchestratorItem): string | undefined {
    // If the backend counts on known events, this worker has executed an episode of the instance.
    const name = knownHistory > 0 ? undefined : readOrchestratorName(request, readRequestHead(request).historyStart);
    return name === undefined || Object.hasOwn(this.#orchestrators, name) ? undefined : name;
  }

  /**
   * Returns the bytes of an OrchestratorResponse. If the backend has left out history that is unknown here, the
   * response asks for all of it. Rejects if the request cannot be read.
   */
  async execute(item: OrchestratorItem): Promise<Buffer> {
    const { instanceId, historyStart } = readRequestHead(item.request);
    const historyEnd = findHistoryEnd(item.request, historyStart);
    if (historyEnd === undefined || instanceId === "") return this.#executeAlone(item);

    const session = this.#sessions.begin(instanceId);
    let kept: ExtendedSession | undefined;
    try {
      const ended = await this.#executeInSession(item, historyEnd, session);
      kept = ended.kept;
      return ended.response;
    } finally {
      this.#sessions.end(instanceId, item.completionToken, kept);
    }
  }

  /** The backend has not accepted the result of the item, so nothing may continue from it. */
  discard({ request, completionToken }: OrchestratorItem): void {
    this.#sessions.drop(readRequestHead(request).instanceId, completionToken);
  }

  /** If the history of a request is not contiguous, it says nothing about the bytes of the next one. */
  async #executeAlone({ request: bytes, completionToken }: OrchestratorItem): Promise<Buffer> {
    const request = decodeMessage(pb.OrchestratorRequest, bytes);
    const instanceId = request.getInstanceid();
    if (instanceId === "") throw new Error("The request for an episode names no instance: its instanceId is empty");

    const episode = { past: request.getPasteventsList(), fresh: request.getNeweventsList() };
    const executionId = request.getExecutionid()?.getValue() ?? "";
    this.#countWhole(episode);
    const outcome = await this.#newExecution().replay(instanceId, episode, executionId);
    return this.#encode(responseTo(request, completionToken, outcome));
  }

  async #executeInSession(
    { request: bytes, knownHistory, completionToken }: OrchestratorItem,
    end: number,
    found: ExtendedSession | undefined,
  ): Promise<{ response: Buffer; kept?: ExtendedSession }> {
    const { instanceId, executionId, historyStart: start } = readRequestHead(bytes);
    const isLeftOut = knownHistory > 0;
    const isContinued =
      found?.executionId === executionId &&
      (isLeftOut ? found.isKnownAs(knownHistory) : found.isPrefixAt(bytes, start));
    let session = isContinued ? found : undefined;
    let from = session === undefined || isLeftOut ? start : start + session.framedBytes;
    let outcome = await session?.execution.resume(await this.#decodeEvents(bytes.subarray(from, end)));
    if (session !== undefined && outcome !== undefined) {
      this.episodes.continued++;
    } else {
      if (isLeftOut) {
        this.episodes.withoutHistory++;
        return { response: writeHistoryRequest(instanceId, completionToken) };
      }
      from = start;
      session = new ExtendedSession(executionId, this.#newExecution(), this.#isChecked(executionId));
      const episode = await this.#decodeEvents(bytes.subarray(from, end));
      this.#countWhole(episode);
      outcome = await session.execution.replay(instanceId, episode, executionId);
    }
    const request = decodeMessage(pb.OrchestratorRequest, withoutBytes(bytes, start, end - start));
    const encode = (of: EpisodeOutcome): Promise<Buffer> => this.#encode(responseTo(request, completionToken, of));
    const response = await encode(outcome);
    if (session.isChecked && session.framedBytes > 0) {
      const whole = Buffer.concat([session.framed, bytes.subarray(from, end)]);
      const replayed = await this.#newExecution().replay(instanceId, await this.#decodeEvents(whole), executionId);
      if (!response.equals(await encode(replayed)))
        return { response: writeOrchestratorFailure(instanceId, completionToken, new SessionMismatch(instanceId)) };
    }
    if (session.execution.isOver) return { response };

    session.record(bytes.subarray(from, end), outcome.actions.length);
    if (isLeftOut) session.forgetBytes();

    return { response, kept: session };
  }

  #countWhole({ past }: Episode): void {
    if (past.length === 0) this.episodes.first++;
    else this.episodes.replayed++;
  }

  #newExecution(): SdkExecution {
    return new SdkExecution(this.#orchestrators, this.#slice);
  }

  #isChecked(executionId: string): boolean {
    return hashOf(executionId) % this.#checkOneIn === 0;
  }

  /** Encodes a response. Many actions are encoded in parts. */
  async #encode(response: OrchestratorResponse): Promise<Buffer> {
    const actions = response.getActionsList();
    if (actions.length <= PART_ACTIONS) return bufferOf(response.serializeBinary());

    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < actions.length; offset += PART_ACTIONS) {
      await this.#slice.over();
      const part = new pb.OrchestratorResponse();
      part.setActionsList(actions.slice(offset, offset + PART_ACTIONS));
      parts.push(part.serializeBinary());
    }
    response.setActionsList([]);
    const rest = response.serializeBinary();
    // Fields are written in the order of their numbers: the actions follow the instance's id.
    const idEnd = frameEnd(rest, 0);
    return Buffer.concat([rest.subarray(0, idEnd), ...parts, rest.subarray(idEnd)]);
  }

  /** Decodes framed events. Many events are decoded in parts. */
  async #decodeEvents(framed: Uint8Array): Promise<Episode> {
    const past: Episode["past"] = [];
    const fresh: Episode["fresh"] = [];
    for (let offset = 0; offset < framed.length;) {
      if (offset > 0) await this.#slice.over();

      const partEnd = framesWithin(framed, offset, Math.min(offset + PART_BYTES, framed.length));
      // Framed events are a valid request.
      const part = decodeMessage(pb.OrchestratorRequest, framed.subarray(offset, partEnd));
      past.push(...part.getPasteventsList());
      fresh.push(...part.getNeweventsList());
      offset = partEnd;
    }
    return { past, fresh };
  }
}

/** The size of a part, in bytes of events or of actions: a few milliseconds of work. */
const PART_BYTES = 65_536;
const PART_ACTIONS = 500;

/** An extended session and a replay of the same history have produced different actions. */
class SessionMismatch extends Error {
  override readonly name = "SessionMismatch";

  constructor(instanceId: string) {
    super(
      `The extended session of '${instanceId}' came to other actions than a replay of its history: either its ` +
        "orchestrator is not deterministic, or this is a defect of the worker; --replay always runs without sessions",
    );
  }
}

/** The response of a worker without tracing. It returns the trace of the request unchanged. */
function responseTo(
  request: OrchestratorRequest,
  completionToken: string,
  { actions, customStatus }: EpisodeOutcome,
): OrchestratorResponse {
  const response = new pb.OrchestratorResponse();
  response.setInstanceid(request.getInstanceid());
  response.setCompletiontoken(completionToken);
  response.setActionsList(actions);
  if (customStatus !== undefined) {
    const value = new StringValue();
    value.setValue(customStatus);
    response.setCustomstatus(value);
  }
  response.setOrchestrationtracecontext(request.getOrchestrationtracecontext());
  return response;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;

  return hash;
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
