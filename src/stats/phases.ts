import { CrossingLatency } from "./crossing-latency.js";
import { arrivalsIn, lengthOf, type Load, type Stage } from "../result/load-shape.js";
import type { Phase, PhaseTally } from "../result/run-result.js";

interface Part {
  readonly name: string;
  readonly fromMs: number;
  /** Infinite if only a number of starts ends it. */
  readonly lengthMs: number;
  /** Undefined if the number of due starts is unknown. */
  readonly offeredPerSecond: number | undefined;
}

/** The events in the parts of a load: its warm-up and its stages. Times count from the start of the run. */
export class Phases {
  #cutMs = Number.POSITIVE_INFINITY;
  /** Empty if there is only one part. */
  readonly #phases: readonly PhaseRecorder[];

  constructor(load: Load) {
    const parts = partsOf(load);
    this.#phases = parts.length > 1 ? parts.map((part) => new PhaseRecorder(part)) : [];
  }

  tally(): readonly PhaseTally[] {
    return this.#phases.map((phase) => phase.tally());
  }

  /** Adds everything of another generator with the same plan. */
  absorb(others: readonly PhaseTally[]): void {
    for (const [index, phase] of this.#phases.entries()) phase.absorb(others[index]!);
  }

  /** The run ended early at this time. What completes later is in no part. */
  cut(atMs: number): void {
    this.#cutMs = atMs;
  }

  /** The part in which a start was due; undefined if there is only one. */
  dueAt(ms: number): PhaseRecorder | undefined {
    return this.#phases.findLast(({ part }) => part.fromMs <= ms) ?? this.#phases[0];
  }

  /** A start has completed, whenever it was due. */
  addCompletion(completedMs: number): void {
    const phase = completedMs <= this.#cutMs ? this.dueAt(completedMs) : undefined;
    if (phase && completedMs < phase.part.fromMs + phase.part.lengthMs) phase.completions += 1;
  }

  /**
   * Undefined if there is only one part. `isSettled`: all due starts were sent and have ended. The last part then has
   * the length of its schedule, although the run ended with its last instance: n starts take n intervals.
   */
  close(
    endMs: number,
    { hasResponse, isSettled }: { readonly hasResponse: boolean; readonly isSettled: boolean },
  ): readonly Phase[] | undefined {
    const begun = this.#phases.filter(({ part }) => part.fromMs < endMs);
    return begun.length === 0
      ? undefined
      : begun.map((phase) => phase.close(isSettled ? phase.scheduledEndMs(endMs) : endMs, hasResponse));
  }
}

class PhaseRecorder {
  started = 0;
  completed = 0;
  /** Starts that were due in it and never sent. */
  unsent = 0;
  /** The number that completed in it, whenever they were due. */
  completions = 0;
  readonly response = new CrossingLatency();
  readonly service = new CrossingLatency();

  constructor(readonly part: Part) {}

  tally(): PhaseTally {
    const { started, completed, completions, unsent, response, service } = this;
    return { started, completed, completions, unsent, response: response.tally(), service: service.tally() };
  }

  absorb(other: PhaseTally): void {
    this.started += other.started;
    this.completed += other.completed;
    this.completions += other.completions;
    this.unsent += other.unsent ?? 0;
    this.response.absorb(other.response);
    this.service.absorb(other.service);
  }

  /** `endMs` if only a number of starts ends it. */
  scheduledEndMs(endMs: number): number {
    const scheduledMs = this.part.fromMs + this.part.lengthMs;
    return Number.isFinite(scheduledMs) ? scheduledMs : endMs;
  }

  close(endMs: number, hasResponse: boolean): Phase {
    const { name, fromMs, offeredPerSecond } = this.part;
    const lengthMs = Math.min(this.part.lengthMs, endMs - fromMs);
    const due = this.started + this.unsent;
    const response = hasResponse ? this.response.summary(due === 0 ? 0 : 1 - this.completed / due) : undefined;
    const service = this.service.summary(this.started === 0 ? 0 : 1 - this.completed / this.started);
    return {
      name,
      fromMs,
      lengthMs,
      ...(offeredPerSecond !== undefined && { offeredPerSecond }),
      started: this.started,
      completed: this.completed,
      completedPerSecond: (this.completions * 1_000) / lengthMs,
      ...(response && { response }),
      ...(service && { service }),
    };
  }
}

function partsOf(load: Load): readonly Part[] {
  const { load: shape = { kind: "once" }, warmupMs = 0 } = load;
  const stages = shape.kind === "open" ? shape.stages : [];
  const [first] = stages;
  const warmup = { name: "warm-up", fromMs: 0, lengthMs: warmupMs, offeredPerSecond: first?.fromPerSecond };
  const rest = shape.kind === "open" ? stagesFrom(warmupMs, stages) : [measured(warmupMs, lengthOf(load))];
  return warmupMs > 0 ? [warmup, ...rest] : rest;
}

function measured(fromMs: number, endMs = Number.POSITIVE_INFINITY): Part {
  return { name: "measured", fromMs, lengthMs: endMs - fromMs, offeredPerSecond: undefined };
}

function stagesFrom(firstMs: number, stages: readonly Stage[]): readonly Part[] {
  return stages.map((stage, index) => {
    const { fromPerSecond, toPerSecond, lengthMs } = stage;
    const fromMs = stages.slice(0, index).reduce((sum, before) => sum + before.lengthMs, firstMs);
    const name = fromPerSecond === toPerSecond ? `${fromPerSecond}/s` : `${fromPerSecond}/s to ${toPerSecond}/s`;
    return { name, fromMs, lengthMs, offeredPerSecond: (arrivalsIn(stage) * 1_000) / lengthMs };
  });
}
