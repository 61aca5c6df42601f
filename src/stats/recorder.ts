import { LatencyHistogram } from "./latency.js";
import type { Completion, Start } from "./completion.js";
import type {
  FailedInstance,
  LatencySummary,
  ResultEnvironment,
  ResultPlan,
  RunResult,
  StuckInstance,
  Throughput,
} from "./run-result.js";
import { plannedStarts } from "./load-shape.js";
import { actionsOf, activitiesOf, executionsOf } from "./run-size.js";

const LISTED_FAILURES = 10;
const LISTED_STUCK = 100;

/** What is known only when the run has ended. */
export interface RunEnd {
  /** On the client's clock, as all times of a `Start`. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly interrupted: boolean;
  readonly environment: ResultEnvironment;
  /** Activity results seen in any instance, unfinished ones included. */
  readonly activitiesCompleted: number;
  readonly rpcErrors: Readonly<Record<string, number>>;
  /** What was asked about the unfinished; need not be all of them. */
  readonly stuck: readonly StuckInstance[];
}

/** Takes starts and completions as they come and derives a `RunResult` at the end. Pure: it has no clock and does no I/O. */
export class Recorder {
  readonly #latency = {
    response: new LatencyHistogram(),
    service: new LatencyHistogram(),
    startRpc: new LatencyHistogram(),
    slip: new LatencyHistogram(),
    server: new LatencyHistogram(),
  };
  readonly #ended = { completed: 0, failed: 0, terminated: 0 };
  readonly #failures: FailedInstance[] = [];
  #started = 0;
  #firstIntendedMs = Number.POSITIVE_INFINITY;
  #lastCompletedMs = Number.NEGATIVE_INFINITY;

  constructor(readonly plan: ResultPlan) {}

  /** A start was acknowledged or refused; a refused one also comes to `add`, as failed. */
  addStart(start: Start): void {
    this.#started += 1;
    this.#firstIntendedMs = Math.min(this.#firstIntendedMs, start.intendedMs);
    this.#latency.slip.add(start.sentMs - start.intendedMs);
    if (start.acceptedMs !== undefined) this.#latency.startRpc.add(start.acceptedMs - start.sentMs);
  }

  add(completion: Completion): void {
    this.#ended[completion.outcome] += 1;
    if (completion.outcome === "completed") this.#addLatencies(completion);
    if (completion.outcome === "failed" && this.#failures.length < LISTED_FAILURES) {
      const failure = completion.failure ?? { type: "Unknown", message: "the backend gave no reason" };
      this.#failures.push({ instanceId: completion.start.instanceId, type: failure.type, message: failure.message });
    }
  }

  get counts(): RunResult["counts"]["orchestrations"] {
    const { completed, failed, terminated } = this.#ended;
    const unfinished = this.#started - completed - failed - terminated;
    return { started: this.#started, completed, failed, terminated, unfinished };
  }

  /** Activities whose results the outputs of completed orchestrations account for. */
  get activitiesAccountedFor(): number {
    return this.#ended.completed * (activitiesOf(this.plan) ?? 0);
  }

  /** The response time so far, as far as the sample carries it. */
  get responseMs(): LatencySummary | undefined {
    return this.#latency.response.summary(this.#censored);
  }

  close(runId: string, end: RunEnd): RunResult {
    const orchestrations = this.counts;
    const activitiesCompleted = Math.max(end.activitiesCompleted, this.activitiesAccountedFor);
    const needed = times(activitiesOf(this.plan), plannedStarts(this.plan) ?? orchestrations.started);
    const throughput = this.#throughput();
    return {
      schemaVersion: 1,
      runId,
      startedAt: new Date(end.startedMs).toISOString(),
      durationMs: end.endedMs - end.startedMs,
      interrupted: end.interrupted,
      plan: this.plan,
      environment: end.environment,
      counts: {
        orchestrations,
        ...(needed !== undefined && {
          activities: { needed, completed: activitiesCompleted },
          actions: orchestrations.started + this.#continuations + 2 * activitiesCompleted,
        }),
        rpcErrors: end.rpcErrors,
      },
      ...(throughput && { throughput }),
      latencyMs: this.#latencies(),
      ...(orchestrations.failed > 0 && { failures: { total: orchestrations.failed, first: this.#failures } }),
      ...(orchestrations.unfinished > 0 && {
        stuck: { total: orchestrations.unfinished, first: end.stuck.slice(0, LISTED_STUCK) },
      }),
    };
  }

  /** Executions that completed orchestrations began over their first. */
  get #continuations(): number {
    return this.#ended.completed * (executionsOf(this.plan) - 1);
  }

  #addLatencies({ start, noticedMs, server }: Completion): void {
    this.#lastCompletedMs = Math.max(this.#lastCompletedMs, noticedMs);
    this.#latency.response.add(noticedMs - start.intendedMs);
    if (start.acceptedMs !== undefined) this.#latency.service.add(noticedMs - start.acceptedMs);
    if (server) this.#latency.server.add(server.completedMs - server.createdMs);
  }

  /** The share of the started that a longer run might have shown to be the slowest: a terminated one was cut off too. */
  get #censored(): number {
    const { started, terminated, unfinished } = this.counts;
    return started === 0 ? 0 : (unfinished + terminated) / started;
  }

  #latencies(): RunResult["latencyMs"] {
    const present = Object.entries(this.#latency).flatMap(([name, histogram]) => {
      const ofStarts = name === "startRpc" || name === "slip";
      const summary = histogram.summary(ofStarts ? 0 : this.#censored);
      return summary ? [[name, summary] as const] : [];
    });
    return Object.fromEntries(present);
  }

  #throughput(): Throughput | undefined {
    const makespanMs = this.#lastCompletedMs - this.#firstIntendedMs;
    if (!(makespanMs > 0)) return undefined;
    const { completed } = this.#ended;
    const perSecond = (count: number): number => (count * 1_000) / makespanMs;
    const activities = times(activitiesOf(this.plan), completed);
    const actions = times(actionsOf(this.plan), completed);
    return {
      makespanMs,
      orchestrationsPerSecond: perSecond(completed),
      ...(activities !== undefined && { activitiesPerSecond: perSecond(activities) }),
      ...(actions !== undefined && { actionsPerSecond: perSecond(actions) }),
    };
  }
}

function times(each: number | undefined, count: number): number | undefined {
  return each === undefined ? undefined : each * count;
}
