import type { Backend } from "../backend/backend.js";
import { isMissingCall } from "../backend/missing-call.js";
import { concurrently } from "../async/concurrently.js";
import { FanoutError } from "../errors.js";
import { formatCount, plural } from "../format/count.js";
import type { Timeline } from "../result/timeline-schema.js";
import { childrenIn, HistoryCollector, type InstanceHistory } from "../timeline/instance-history.js";
import { timelinesOf } from "../timeline/timeline.js";

const CONCURRENCY = 10;
/** Of an instance and its sub-orchestrations together: some 200 bytes of memory each. */
const MOST_EVENTS = 1_000_000;
const MOST_INSTANCES = 200;

export interface TimelineOptions {
  readonly signal: AbortSignal;
  /** How many sub-orchestrations deep it reads. */
  readonly depth: number;
  readonly mostEvents?: number;
}

/**
 * The timelines of an instance and of its sub-orchestrations, each before its own; undefined where there is no such
 * instance. It only reads. In memory are times and names, not what activities returned.
 * @throws FanoutError if the backend does not give histories
 */
export async function readTimelines(
  backend: Backend,
  instanceId: string,
  { signal, depth, mostEvents = MOST_EVENTS }: TimelineOptions,
): Promise<readonly Timeline[] | undefined> {
  const reading = new TimelineReading(backend, signal, mostEvents);
  const instances = await reading.read(instanceId, depth);
  return instances && timelinesOf(instances, Date.now() * 1_000);
}

interface Place {
  readonly depth: number;
  readonly parentInstanceId?: string;
}

class TimelineReading {
  #events = 0;

  constructor(
    readonly backend: Backend,
    readonly signal: AbortSignal,
    readonly mostEvents: number,
  ) {}

  async read(rootId: string, deepest: number): Promise<readonly InstanceHistory[] | undefined> {
    const root = await this.#instanceOf(rootId, { depth: 0 });
    if (!root) return undefined;
    const read = new Map([[rootId, root]]);
    for (let level = [root], depth = 1; depth <= deepest && level.length > 0; depth += 1)
      level = await this.#readBelow(level, depth, read);
    return inOrder(root, [...read.values()]);
  }

  /** Reads the sub-orchestrations of a level. Each is read once, and together they are bounded. */
  async #readBelow(parents: readonly InstanceHistory[], depth: number, read: Map<string, InstanceHistory>) {
    const wanted = new Map<string, string>();
    for (const { instanceId, history } of parents)
      for (const id of childrenIn(history)) if (!read.has(id) && !wanted.has(id)) wanted.set(id, instanceId);
    const found: InstanceHistory[] = [];
    const taken = [...wanted].slice(0, MOST_INSTANCES - read.size);
    await concurrently(taken, CONCURRENCY, this.signal, async ([id, parentInstanceId]) => {
      const child = await this.#instanceOf(id, { depth, parentInstanceId });
      if (child) found.push(child);
    });
    this.signal.throwIfAborted();
    for (const child of found) read.set(child.instanceId, child);
    const left = wanted.size - taken.length;
    if (left > 0) {
      const first = parents[0]!;
      const missing = `${plural(left, "sub-orchestration")} not read: ${formatCount(MOST_INSTANCES)} instances are read at most`;
      read.set(first.instanceId, { ...first, missing });
    }
    return found;
  }

  /** Undefined where there is no such instance. */
  async #instanceOf(instanceId: string, place: Place): Promise<InstanceHistory | undefined> {
    const { signal } = this;
    const state = await this.backend.client.getInstance(instanceId, { signal });
    if (!state) return undefined;
    const { name, status, createdMs, completedMs } = state;
    const read = await this.#historyOf(instanceId);
    return {
      instanceId,
      ...place,
      name,
      status,
      createdUs: createdMs === undefined ? (read.history[0]?.atUs ?? 0) : Math.round(createdMs * 1_000),
      completedUs: completedMs === undefined ? undefined : Math.round(completedMs * 1_000),
      ...read,
    };
  }

  async #historyOf(instanceId: string): Promise<Pick<InstanceHistory, "history" | "missing">> {
    const { client, displayName } = this.backend;
    const full = new AbortController();
    let collector = new HistoryCollector();
    const begin = () => {
      this.#events -= collector.moments.length;
      collector = new HistoryCollector();
      return (part: Parameters<HistoryCollector["add"]>[0]): void => {
        collector.add(part);
        this.#events += part.length;
        if (this.#events > this.mostEvents) full.abort();
      };
    };
    try {
      await client.streamMoments(instanceId, begin, { signal: AbortSignal.any([this.signal, full.signal]) });
    } catch (error) {
      if (isMissingCall(error)) throw cannotTell(displayName, error);
      if (!full.signal.aborted) throw error;
      return {
        history: collector.moments,
        missing: `the rest of its history: ${plural(this.mostEvents, "event")} are read at most`,
      };
    }
    return { history: collector.moments };
  }
}

/** Each instance before its sub-orchestrations, those in the order of their creation. */
function inOrder(root: InstanceHistory, all: readonly InstanceHistory[]): readonly InstanceHistory[] {
  const below = Map.groupBy(all, ({ parentInstanceId }) => parentInstanceId);
  const from = (instance: InstanceHistory): readonly InstanceHistory[] => {
    const children = (below.get(instance.instanceId) ?? []).toSorted((a, b) => a.createdUs - b.createdUs);
    return [instance, ...children.flatMap(from)];
  };
  return from(all.find(({ instanceId }) => instanceId === root.instanceId) ?? root);
}

function cannotTell(displayName: string, cause: unknown): FanoutError {
  return new FanoutError(
    "call-unsupported",
    `${displayName} has no StreamInstanceHistory (UNIMPLEMENTED), so the history of an instance cannot be read there.`,
    { hint: "`fanout status ID` shows how far an instance is.", cause },
  );
}
