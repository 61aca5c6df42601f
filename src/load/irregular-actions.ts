import { isMissingCall } from "../backend/missing-call.js";
import type { HistoryContents, OrchestrationClient } from "../backend/orchestration-client.js";
import { formatBytes } from "../format/bytes.js";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { errorText } from "../format/error-text.js";
import { parseFanOutFanInInput, partIdOf } from "../orchestrations/fan-out-fan-in-contract.js";
import { billedActions } from "../stats/billed-actions.js";
import type { Recorder } from "../stats/recorder.js";
import type { IrregularActions } from "../stats/run-counts.js";
import type { ResultPlan } from "../result/run-result.js";
import { actionsBefore, mayRetry, type EarlierExecutions } from "../result/run-size.js";
import { SequenceSet } from "../stats/sequence-set.js";
import { concurrently } from "../async/concurrently.js";
import { instanceIdOf } from "../plan/run-id.js";
import { ordinalOf } from "../result/shard.js";

const CONCURRENCY = 20;
const MOST_INSTANCES = 50_000;
const MOST_BYTES = 1_000_000_000;
const PATIENCE_MS = 30_000;
const INTERRUPTED_PATIENCE_MS = 3_000;
/** Reading more histories takes noticeable time, so a person is told. */
const SLOW_INSTANCES = 2_000;

export interface IrregularOptions {
  readonly client: OrchestrationClient;
  readonly plan: ResultPlan;
  readonly runId: string;
  /** The numbers of the acknowledged starts, and of those that completed. */
  readonly starts: Pick<Recorder, "accepted" | "completed" | "inWarmup">;
  /** The numbers of unanswered starts. The backend may have them or not. */
  readonly unanswered: ReadonlySet<number>;
  /** Aborts the count. If it aborted earlier, a person who interrupted the run is waiting. */
  readonly interruption: AbortSignal;
  /** Whether Ctrl-C ends the count, and not the command. */
  readonly canSkip?: boolean;
  readonly onLine: (line: string) => void;
  readonly patienceMs?: number;
}

/**
 * Counts the actions of instances that no formula covers, by reading their histories: instances that did not complete,
 * and all instances if activities are retried. Time, number and bytes are limited. `missing` says what was not counted.
 * Never rejects.
 */
export async function countIrregularActions(options: IrregularOptions): Promise<IrregularActions> {
  const { client, plan, runId, starts, unanswered, interruption, onLine } = options;
  const { patienceMs = interruption.aborted ? INTERRUPTED_PATIENCE_MS : PATIENCE_MS } = options;
  const { accepted, inWarmup } = starts;
  const regular = mayRetry(plan) ? new SequenceSet() : starts.completed;
  const instances = accepted.size - regular.size + unanswered.size;
  const histories = instances * (1 + partsOf(plan));
  if (histories > MOST_INSTANCES) {
    const missing = `${plural(histories, "history")} would have to be read`;
    return { instances, actions: 0, measured: 0, missing };
  }
  const howToSkip = options.canSkip === true ? "; press Ctrl-C to skip this" : "";
  if (histories > SLOW_INSTANCES) onLine(`reading ${plural(histories, "history")} to count actions${howToSkip}`);

  const patience = AbortSignal.timeout(patienceMs);
  const reading = new Reading(interruption.aborted ? patience : AbortSignal.any([interruption, patience]));
  const sequences = chain(accepted.missingFrom(regular), unanswered);
  await concurrently(sequences, CONCURRENCY, reading.signal, async (sequence) => {
    const instanceId = instanceIdOf(runId, sequence);
    const history = await reading.historyOf(client, instanceId);
    if (history === undefined) return;

    const parts: HistoryContents[] = [];
    for (const partId of partsBegun(history, instanceId, plan)) {
      const part = await reading.historyOf(client, partId);
      if (part === undefined) return;
      parts.push(part);
    }
    reading.add(history, parts, plan, {
      isMeasured: ordinalOf(sequence, plan.shard) >= inWarmup,
      mustBeThere: accepted.has(sequence),
    });
  });
  const { actions, measured, count } = reading;
  const cutOff = patience.aborted ? `it took longer than ${formatDuration(patienceMs)}` : "the reading was interrupted";
  const notAll = `${formatCount(count)} of ${plural(instances, "history")} were read: ${reading.failure ?? cutOff}`;
  const missing = count < instances ? notAll : reading.missing;
  return { instances, actions, measured, ...(missing !== undefined && { missing }) };
}

/** The histories read so far, and whether to continue. */
class Reading {
  /** The number of histories. */
  count = 0;
  /** Why the reading stopped early. */
  failure: string | undefined;
  actions = 0;
  measured = 0;
  readonly signal: AbortSignal;
  readonly #stop = new AbortController();
  #bytes = 0;
  #gone = 0;
  #unfinished = 0;
  #overwritten = 0;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Why the count is incomplete; undefined if it is complete. */
  get missing(): string | undefined {
    const parts = [
      this.#unfinished > 0 && `${plural(this.#unfinished, "orchestration")} had not ended`,
      this.#gone > 0 && `${plural(this.#gone, "orchestration")} no longer had a history`,
      this.#overwritten > 0 &&
        `the worker did not carry the retries before a continue-as-new of ${plural(this.#overwritten, "orchestration")}`,
    ];
    return parts.filter((part) => part !== false).join(", ") || undefined;
  }

  /** Undefined if the history cannot be read, or is no longer worth reading. */
  async historyOf(client: OrchestrationClient, instanceId: string): Promise<HistoryContents | undefined> {
    try {
      return await client.historyOf(instanceId, { signal: this.signal, onBytes: (bytes) => this.#addBytes(bytes) });
    } catch (error) {
      if (!this.signal.aborted) this.#give(isMissingCall(error) ? NO_HISTORY : errorText(error));
      return undefined;
    }
  }

  add(
    { events, input }: HistoryContents,
    parts: readonly HistoryContents[],
    plan: ResultPlan,
    { isMeasured, mustBeThere }: { readonly isMeasured: boolean; readonly mustBeThere: boolean },
  ): void {
    this.count += 1;
    const isThere = Object.keys(events).length > 0;
    if (!isThere && mustBeThere) this.#gone += 1;
    if (isThere && events["ExecutionCompleted"] === undefined) this.#unfinished += 1;
    const earlier = earlierExecutions(input);
    if (earlier && earlier.retries === undefined && mayRetry(plan)) this.#overwritten += 1;
    let actions = billedActions(events) + (earlier ? actionsBefore(earlier, plan) : 0);
    // The start of a sub-orchestration is counted where it was asked for.
    for (const part of parts) actions += Math.max(0, billedActions(part.events) - 1);
    this.actions += actions;
    if (isMeasured) this.measured += actions;
  }

  #addBytes(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MOST_BYTES) this.#give(`the histories are more than ${formatBytes(MOST_BYTES)} together`);
  }

  #give(failure: string): void {
    this.failure ??= failure;
    this.#stop.abort();
  }
}

const NO_HISTORY = "the backend has no StreamInstanceHistory (UNIMPLEMENTED)";

/**
 * The part that is gone from an instance's history, as its last execution's input reports it; undefined if there was
 * only one execution.
 */
function earlierExecutions(input: string | undefined): EarlierExecutions | undefined {
  if (input === undefined || !input.includes('"carried"')) return undefined;
  try {
    const { carried } = parseFanOutFanInInput(JSON.parse(input));
    return carried && { iterationsCompleted: carried.iterationsCompleted, retries: carried.retries };
  } catch {
    return undefined;
  }
}

/** The sub-orchestrations of an orchestration that completes. */
function partsOf({ iterations = 0, subOrchestrations = 0 }: ResultPlan): number {
  return iterations * subOrchestrations;
}

/** The ids of the sub-orchestrations that an instance's last execution has begun. */
function* partsBegun({ events, input }: HistoryContents, instanceId: string, plan: ResultPlan): Iterable<string> {
  const { subOrchestrations = 0 } = plan;
  const begun = subOrchestrations === 0 ? 0 : (events["SubOrchestrationInstanceCreated"] ?? 0);
  const first = earlierExecutions(input)?.iterationsCompleted ?? 0;
  for (let number = 0; number < begun; number += 1)
    yield partIdOf(instanceId, first + Math.floor(number / subOrchestrations), number % subOrchestrations);
}

function* chain<T>(...parts: readonly Iterable<T>[]): Iterable<T> {
  for (const part of parts) yield* part;
}
