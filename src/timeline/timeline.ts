import { workerClocksOf } from "../breakdown/clocks.js";
import type { Timeline, TimelineMark, TimelineSpan } from "../result/timeline-schema.js";
import type { InstanceHistory } from "./instance-history.js";
import { isoTime } from "./iso-time.js";
import { SpanCollector, type SpanTimes } from "./spans.js";

/** Some backends cut the time of the creation to a millisecond: what is closer is the same moment. */
const SAME_MOMENT_US = 1_000;

/**
 * The timelines of an instance and of its sub-orchestrations, in the order given, the instance first. `nowUs` is the end of
 * what has not ended. `workers` are the offsets of the workers' clocks, which these histories tell too. Pure: histories in,
 * values out.
 */
export function timelinesOf(
  instances: readonly InstanceHistory[],
  nowUs: number,
  workers: SpanTimes["workers"] = workerClocksOf(instances.map(({ history }) => history)),
): readonly Timeline[] {
  const rootUs = instances[0] ? startOf(instances[0]) : 0;
  return instances.map((instance) => timelineOf(instance, { workers, rootUs, nowUs }));
}

interface Surroundings extends Pick<SpanTimes, "workers"> {
  readonly rootUs: number;
  readonly nowUs: number;
}

function timelineOf(instance: InstanceHistory, { workers, rootUs, nowUs }: Surroundings): Timeline {
  const { history, instanceId, parentInstanceId, depth, name, status, missing } = instance;
  const startUs = startOf(instance);
  const ended = history.findLast((moment) => moment.kind === "ended");
  const endUs = endOf(instance, ended?.atUs, nowUs);
  const ms = (us: number): number => Math.max(0, us - startUs) / 1_000;
  const collector = new SpanCollector();
  const signals = new SignalCollector(ms);
  for (const moment of history) {
    collector.add(moment);
    signals.add(moment);
  }
  const spans = [
    ...earlierExecutions(instance, ms),
    ...collector.spans({ ms, endUs, workers }),
    ...signals.suspensions(ms(endUs)),
  ].toSorted((a, b) => a.fromMs - b.fromMs);
  return {
    instanceId,
    ...(parentInstanceId !== undefined && { parentInstanceId }),
    depth,
    name,
    status: ended?.status ?? status,
    startedAt: isoTime(startUs),
    startMs: Math.max(0, startUs - rootUs) / 1_000,
    durationMs: ms(endUs),
    ended: ended !== undefined || instance.completedUs !== undefined,
    events: history.length,
    episodes: collector.episodes,
    spans,
    marks: signals.marks,
    ...(ended?.failure && { failure: { ...ended.failure } }),
    ...(missing !== undefined && { missing }),
  };
}

function startOf({ createdUs, history }: InstanceHistory): number {
  const firstUs = history[0]?.atUs ?? createdUs;
  const startedUs = history.find(({ kind }) => kind === "execution-started")?.atUs ?? firstUs;
  return Math.min(createdUs, startedUs);
}

/** Without an end, until now; a clock behind the backend's does not cut what has happened. */
function endOf({ history, completedUs, createdUs }: InstanceHistory, endedUs: number | undefined, nowUs: number) {
  const known = endedUs ?? completedUs;
  const lastUs = history.reduce((latest, { atUs }) => Math.max(latest, atUs), createdUs);
  return known === undefined ? Math.max(lastUs, nowUs) : Math.max(lastUs, known);
}

/** Created until the execution began that the history is of, where that is another one. */
function earlierExecutions({ createdUs, history }: InstanceHistory, ms: SpanTimes["ms"]): readonly TimelineSpan[] {
  const startedUs = history.find(({ kind }) => kind === "execution-started")?.atUs;
  if (startedUs === undefined || startedUs - createdUs <= SAME_MOMENT_US) return [];
  return [{ kind: "earlierExecutions", outcome: "completed", fromMs: ms(createdUs), toMs: ms(startedUs) }];
}

/** What came from outside. Between a suspension and the resumption lies a span. */
class SignalCollector {
  readonly marks: TimelineMark[] = [];
  readonly #suspensions: TimelineSpan[] = [];
  #suspendedMs: number | undefined;

  constructor(readonly ms: SpanTimes["ms"]) {}

  add(moment: InstanceHistory["history"][number]): void {
    if (moment.kind !== "signalled") return;
    const { signal = "event", name } = moment;
    const atMs = this.ms(moment.atUs);
    this.marks.push({ kind: signal, ...(name !== undefined && { name }), atMs });
    if (signal === "suspended") this.#suspendedMs ??= atMs;
    if (signal === "resumed" || signal === "terminated") this.#close(atMs, "completed");
  }

  suspensions(endMs: number): readonly TimelineSpan[] {
    this.#close(endMs, "open");
    return this.#suspensions;
  }

  #close(toMs: number, outcome: TimelineSpan["outcome"]): void {
    const fromMs = this.#suspendedMs;
    if (fromMs === undefined) return;
    this.#suspensions.push({ kind: "suspended", outcome, fromMs, toMs });
    this.#suspendedMs = undefined;
  }
}
