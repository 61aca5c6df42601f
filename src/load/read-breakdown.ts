import { talliedBreakdownOf } from "../breakdown/breakdown.js";
import { clocksOf, type Clocks } from "../breakdown/clocks.js";
import { DEEPEST_CHILD, stamped, type Histories, type History } from "../breakdown/critical-path.js";
import { fanInOf } from "../breakdown/fan-in.js";
import { growthTallyOf } from "../breakdown/growth.js";
import { workersOf } from "../breakdown/workers.js";
import type { TracedInstance } from "../breakdown/traced-instance.js";
import { concurrently } from "../async/concurrently.js";
import { isMissingCall } from "../backend/missing-call.js";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { formatBytes } from "../format/bytes.js";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { errorText } from "../format/error-text.js";
import type { BreakdownExample, BreakdownTally, GrowthTally, ResultPlan, RunResult } from "../result/run-result.js";
import type { OwnWork } from "../protocol/worker-messages.js";
import type { Timeline } from "../result/timeline-schema.js";
import { keptTimelines, type KeptOfTimeline } from "../timeline/kept-timelines.js";
import type { TracedStart } from "./trace-sample.js";

const CONCURRENCY = 10;
const MOST_EVENTS = 1_000_000;
const MOST_BYTES = 1_000_000_000;
const PATIENCE_MS = 20_000;
const INTERRUPTED_PATIENCE_MS = 3_000;
const TELL_EVERY_MS = 3_000;

/** Of each instance for `onTimelines`. */
const TOLD: KeptOfTimeline = {
  instance: { spans: 500, marks: 100 },
  child: { spans: 100, marks: 20 },
  children: 20,
};

type WhereTimeWent = Pick<RunResult, "breakdown" | "fanIn" | "workers"> & {
  readonly growth?: GrowthTally;
  readonly breakdownTally?: BreakdownTally;
};

export interface BreakdownOptions {
  readonly client: Pick<OrchestrationClient, "momentsOf" | "getInstance">;
  readonly starts: readonly TracedStart[];
  /** What the run's own workers say that they executed. */
  readonly ownWork?: readonly OwnWork[] | undefined;
  readonly plan: Pick<ResultPlan, "iterations" | "continueAsNewEvery">;
  /** When what was in flight was left or terminated, by the client's clock. */
  readonly endedMs: number;
  /** Ends the reading. If that was before, whoever interrupted the run waits for it a moment. */
  readonly interruption: AbortSignal;
  /** Whether Ctrl-C ends the reading, and not the command. */
  readonly canSkip?: boolean;
  readonly onLine: (line: string) => void;
  /** Called for each instance that was read. */
  readonly onTimelines?: ((timelines: readonly Timeline[]) => void) | undefined;
  readonly patienceMs?: number;
  readonly mostEvents?: number;
}

/**
 * Reads the histories of the traced instances, in the order given, and breaks their time down. Bounded in events, bytes and
 * time; the breakdown says what is missing. Where nothing was traced there are only the run's own workers. Never rejects.
 */
export async function readBreakdown(options: BreakdownOptions): Promise<WhereTimeWent> {
  const { starts, interruption, onLine, mostEvents = MOST_EVENTS } = options;
  const { patienceMs = interruption.aborted ? INTERRUPTED_PATIENCE_MS : PATIENCE_MS } = options;
  if (starts.length === 0) return withWorkers({}, workersOf([], NO_CLOCKS, options.ownWork));
  const patience = AbortSignal.timeout(patienceMs);
  const signal = interruption.aborted ? patience : AbortSignal.any([interruption, patience]);
  const reading = new HistoryReading(options.client, signal, mostEvents);
  const read: TracedInstance[] = [];
  const howToSkip = options.canSkip === true ? "; press Ctrl-C to leave the rest out" : "";
  const telling = setInterval(() => {
    const text = `${formatCount(read.length)} of ${plural(starts.length, "history")}`;
    onLine(`reading where the time went: ${text}${howToSkip}`);
  }, TELL_EVERY_MS);
  await concurrently(starts, CONCURRENCY, reading.signal, async (start) => {
    const instance = await reading.instanceOf(start, options.endedMs);
    if (instance) read.push(instance);
  });
  clearInterval(telling);
  const why =
    reading.failure ?? (patience.aborted ? `it took longer than ${formatDuration(patienceMs)}` : "interrupted");
  const missing =
    read.length === 0 ? why : `${formatCount(read.length)} of ${plural(starts.length, "history")} were read: ${why}`;
  return whereTimeWent(read, options, read.length < starts.length ? missing : undefined);
}

function whereTimeWent(
  instances: readonly TracedInstance[],
  { plan, ownWork, onTimelines }: BreakdownOptions,
  missing: string | undefined,
): WhereTimeWent {
  const clocks = clocksOf(instances);
  const fanIn = fanInOf(instances, plan);
  const growth = growthTallyOf(instances, plan);
  const workers = workersOf(instances, clocks.workers, ownWork);
  if (onTimelines) for (const instance of instances) onTimelines(keptTimelines(instance, clocks.workers, TOLD));
  const { breakdown: told, tally } = talliedBreakdownOf(instances, clocks);
  const { examples, ...breakdown } = told;
  const times = {
    breakdown: {
      ...breakdown,
      ...(examples && { examples: examples.map((example) => withTimelines(example, instances, clocks)) }),
      ...(missing !== undefined && { missing }),
    },
    ...(fanIn && { fanIn }),
    ...(growth && { growth }),
    ...(tally && { breakdownTally: tally }),
  };
  return withWorkers(times, workers);
}

function withTimelines(
  example: BreakdownExample,
  instances: readonly TracedInstance[],
  { workers }: Clocks,
): BreakdownExample {
  const instance = instances.find(({ instanceId }) => instanceId === example.instanceId);
  return instance ? { ...example, timelines: keptTimelines(instance, workers) } : example;
}

const NO_CLOCKS = new Map<string, never>();

function withWorkers(times: WhereTimeWent, workers: NonNullable<WhereTimeWent["workers"]>): WhereTimeWent {
  return { ...times, ...(workers.length > 0 && { workers }) };
}

const NO_HISTORY = "the backend has no StreamInstanceHistory (UNIMPLEMENTED)";

/** Reads histories until one of the bounds. */
class HistoryReading {
  /** What ended it before its time. */
  failure: string | undefined;
  readonly signal: AbortSignal;
  readonly #stop = new AbortController();
  #events = 0;
  #bytes = 0;

  constructor(
    readonly client: BreakdownOptions["client"],
    signal: AbortSignal,
    readonly mostEvents: number,
  ) {
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Undefined where it could not be read, or is not worth reading any more. */
  async instanceOf({ start, completion }: TracedStart, endedMs: number): Promise<TracedInstance | undefined> {
    const { instanceId } = start;
    try {
      const history = await this.#read(instanceId);
      const children = new Map<string, History>();
      await this.#readChildren(history, children, DEEPEST_CHILD);
      const createdMs =
        completion?.server?.createdMs ??
        (await this.client.getInstance(instanceId, { signal: this.signal }))?.createdMs;
      return {
        instanceId,
        outcome: completion?.outcome ?? "unfinished",
        intendedUs: microseconds(start.intendedMs),
        sentUs: microseconds(start.sentMs),
        acceptedUs: start.acceptedMs === undefined ? undefined : microseconds(start.acceptedMs),
        endedUs: microseconds(completion?.noticedMs ?? endedMs),
        createdUs: createdMs === undefined ? undefined : microseconds(createdMs),
        history,
        children: children satisfies Histories,
      };
    } catch (error) {
      if (!this.signal.aborted) this.#give(isMissingCall(error) ? NO_HISTORY : errorText(error));
      return undefined;
    }
  }

  async #readChildren(history: History, into: Map<string, History>, depth: number): Promise<void> {
    if (depth === 0) return;
    for (const moment of history) {
      if (moment.kind !== "asked" || moment.instanceId === undefined || into.has(moment.instanceId)) continue;
      const child = await this.#read(moment.instanceId);
      into.set(moment.instanceId, child);
      await this.#readChildren(child, into, depth - 1);
    }
  }

  async #read(instanceId: string): Promise<History> {
    const moments = await this.client.momentsOf(instanceId, {
      signal: this.signal,
      onChunk: ({ bytes, moments }) => {
        this.#bytes += bytes;
        this.#events += moments;
        if (this.#events > this.mostEvents)
          this.#give(`they have more than ${plural(this.mostEvents, "event")} together`);
        if (this.#bytes > MOST_BYTES) this.#give(`they are more than ${formatBytes(MOST_BYTES)} together`);
      },
    });
    return stamped(moments);
  }

  #give(failure: string): void {
    this.failure ??= failure;
    this.#stop.abort();
  }
}

function microseconds(ms: number): number {
  return Math.round(ms * 1_000);
}
