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
import { ExtendedSessions, NO_SESSIONS } from "./extended-sessions.js";
import { DEFAULT_REPLAY, type Replay } from "../protocol/replay.js";
import { SdkExecution, type Episode, type EpisodeOutcome } from "./sdk-execution.js";
import { TimeSlice } from "./time-slice.js";

type OrchestratorItem = Extract<WorkItem, { kind: "orchestrator" }>;
type OrchestratorRequest = InstanceType<typeof pb.OrchestratorRequest>;
type OrchestratorResponse = InstanceType<typeof pb.OrchestratorResponse>;

export interface OrchestratorExecutorOptions {
  readonly replay?: Replay;
  readonly sessions?: ExtendedSessions;
  /** What an episode may take of a turn of the event loop. */
  readonly slice?: TimeSlice;
  /** The episodes of one in this many executions are also replayed in full, and must have the same outcome. */
  readonly checkOneIn?: number;
}

/** Of the executions, chosen by their ids, that are checked. */
const CHECK_ONE_IN = 1_000;

/**
 * Runs episodes in the SDK's executor. Between two of them an execution stays in memory as an extended session, so that
 * it processes each event once in its life; without one it replays its whole history, which comes to the same.
 */
export class OrchestratorExecutor {
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

  /** The name that is asked for, where it is not hosted here. Throws where the request cannot be read. */
  strayName({ request, knownHistory }: OrchestratorItem): string | undefined {
    // Of what it is known to know, this worker has run an episode.
    const name = knownHistory > 0 ? undefined : readOrchestratorName(request, readRequestHead(request).historyStart);
    return name === undefined || Object.hasOwn(this.#orchestrators, name) ? undefined : name;
  }

  /**
   * The bytes of an OrchestratorResponse. Where the backend has left out history that is not known here, it asks for all
   * of it. Rejects where the request cannot be read.
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

  /** The backend has not taken in what came of the item: nothing may go on from there. */
  discard({ request, completionToken }: OrchestratorItem): void {
    this.#sessions.drop(readRequestHead(request).instanceId, completionToken);
  }

  /** A request whose history does not stand in one run says nothing about the bytes of the next one. */
  async #executeAlone({ request: bytes, completionToken }: OrchestratorItem): Promise<Buffer> {
    const request = decodeMessage(pb.OrchestratorRequest, bytes);
    const instanceId = request.getInstanceid();
    if (instanceId === "") throw new Error("The request for an episode names no instance: its instanceId is empty");

    const episode = { past: request.getPasteventsList(), fresh: request.getNeweventsList() };
    const executionId = request.getExecutionid()?.getValue() ?? "";
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
    if (session === undefined || outcome === undefined) {
      if (isLeftOut) return { response: writeHistoryRequest(instanceId, completionToken) };

      from = start;
      session = new ExtendedSession(executionId, this.#newExecution(), this.#isChecked(executionId));
      outcome = await session.execution.replay(
        instanceId,
        await this.#decodeEvents(bytes.subarray(from, end)),
        executionId,
      );
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

  #newExecution(): SdkExecution {
    return new SdkExecution(this.#orchestrators, this.#slice);
  }

  #isChecked(executionId: string): boolean {
    return hashOf(executionId) % this.#checkOneIn === 0;
  }

  /** Encodes a response; many actions part by part. */
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
    // Fields are written in the order of their numbers: the actions stand behind the instance's id.
    const idEnd = frameEnd(rest, 0);
    return Buffer.concat([rest.subarray(0, idEnd), ...parts, rest.subarray(idEnd)]);
  }

  /** Decodes framed events; many part by part. */
  async #decodeEvents(framed: Uint8Array): Promise<Episode> {
    const past: Episode["past"] = [];
    const fresh: Episode["fresh"] = [];
    for (let offset = 0; offset < framed.length;) {
      if (offset > 0) await this.#slice.over();

      const partEnd = framesWithin(framed, offset, Math.min(offset + PART_BYTES, framed.length));
      // Framed events are a request of their own.
      const part = decodeMessage(pb.OrchestratorRequest, framed.subarray(offset, partEnd));
      past.push(...part.getPasteventsList());
      fresh.push(...part.getNeweventsList());
      offset = partEnd;
    }
    return { past, fresh };
  }
}

/** Events that are decoded in one go, in bytes, and actions that are encoded: a few milliseconds' worth. */
const PART_BYTES = 65_536;
const PART_ACTIONS = 500;

/** An extended session and a replay of the same history have come to different actions. */
class SessionMismatch extends Error {
  override readonly name = "SessionMismatch";

  constructor(instanceId: string) {
    super(
      `The extended session of '${instanceId}' came to other actions than a replay of its history: either its ` +
        "orchestrator is not deterministic, or this is a defect of the worker; --replay always runs without sessions",
    );
  }
}

/** What a worker answers that takes no part in tracing: the trace of the request goes back as it came. */
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
