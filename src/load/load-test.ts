import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "../backend/backend.js";
import { plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { activitiesOf } from "../stats/run-size.js";
import { FAN_OUT_FAN_IN_ORCHESTRATION, type FanOutFanInRequest } from "../orchestrations/fan-out-fan-in-contract.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { Recorder } from "../stats/recorder.js";
import type { HubSurvey, ResultPlan, RunResult, StuckInstance } from "../stats/run-result.js";
import type { Clock } from "./clock.js";
import { describeEnvironment } from "./environment.js";
import { Generator, type GeneratorOptions } from "./generator.js";
import { surveyHub, surveyLine } from "./hub-survey.js";
import type { LoadPlan } from "./plan.js";
import { progressOf, type Progress } from "./progress.js";
import { instanceIdPrefixOf } from "./run-id.js";
import { describeUnfinished, terminateAll } from "./unfinished.js";
import { workerEnvironment } from "./worker-environment.js";
import { WorkerWatch } from "./worker-watch.js";
import { errorText } from "../format/error-text.js";
import { aborted } from "./aborted.js";

const FOLLOW_AGAIN_MS = 1_000;
/** How long an interruption waits for the answers to starts before it says what is in flight. */
const START_PATIENCE_MS = 1_000;

export interface LoadTestOptions {
  readonly plan: LoadPlan;
  readonly backend: Backend;
  readonly runId: string;
  readonly clock: Clock;
  /** A person sits at a terminal. */
  readonly attended: boolean;
  /** After an interruption, leave what is unfinished running. */
  readonly leave: boolean;
  readonly interruption: AbortSignal;
  /** For a person. */
  readonly onLine: (line: string) => void;
}

type Ending = { readonly kind: "all-ended" | "interrupted" } | { readonly kind: "given-up"; readonly reason: string };

export interface LoadTestOutcome {
  readonly result: RunResult;
  /** Why the run ended before everything it started had; undefined if it did not, or was interrupted. */
  readonly gaveUp: string | undefined;
}

/** One run: everything between a plan and its result. */
export class LoadTest {
  readonly #recorder: Recorder;
  readonly #generator: Generator;
  readonly #progress: Progress;
  readonly #workers: WorkerWatch;
  readonly #stopStarting = new AbortController();
  readonly #stopWaiting = new AbortController();
  readonly #stopFollowing = new AbortController();
  #startedMs: number | undefined;
  readonly #givenUp = Promise.withResolvers<Ending>();

  constructor(readonly options: LoadTestOptions) {
    const { plan, backend, runId, clock, attended } = options;
    const recorder = new Recorder(resultPlanOf(plan));
    this.#recorder = recorder;
    this.#generator = new Generator({
      client: backend.client,
      runId,
      orchestrations: plan.parallelOrchestrations,
      orchestration: orchestrationOf(plan),
      clock,
      stopStarting: this.#stopStarting.signal,
      stopWaiting: this.#stopWaiting.signal,
      onStart: (start) => recorder.addStart(start),
      onCompletion: (completion) => recorder.add(completion),
    });
    this.#progress = progressOf({
      backend,
      runId,
      clock,
      inFlight: this.#generator.inFlight,
      activitiesAccountedFor: () => recorder.activitiesAccountedFor,
    });
    this.#workers = new WorkerWatch({
      plan,
      backend,
      environment: workerEnvironment(backend.connection),
      attended,
      onLine: options.onLine,
      onGivenUp: (reason) => this.#giveUp(reason),
    });
  }

  snapshot(): LiveSnapshot {
    const { plan, clock } = this.options;
    const { started, unfinished } = this.#recorder.counts;
    return {
      elapsedMs: this.#startedMs === undefined ? 0 : clock() - this.#startedMs,
      orchestrations: { total: plan.parallelOrchestrations, started, ended: started - unfinished },
      activities: {
        total: (activitiesOf(plan) ?? 0) * plan.parallelOrchestrations,
        completed: this.#progress.activitiesCompleted(),
      },
      responseMs: this.#recorder.responseMs,
    };
  }

  /** Resolves when all has ended, the run was interrupted, or it was given up. Own workers go on until `close`. */
  async run(): Promise<LoadTestOutcome> {
    const { backend, clock, interruption, onLine } = this.options;
    const hub = await surveyHub(backend.client, interruption);
    const line = surveyLine(hub, backend.connection.taskHub);
    if (line !== undefined) onLine(line);
    void this.#follow();
    this.#workers.start(this.#progress);
    await Promise.race([this.#workers.ready, this.#givenUp.promise, aborted(interruption)]);
    const startedMs = clock();
    this.#startedMs = startedMs;
    if (interruption.aborted) this.#stopStarting.abort();
    const generating = this.#generator.run(startedMs);
    const ending = await this.#ending(generating);
    this.#stopStarting.abort();
    this.#workers.rest();
    if (ending.kind === "interrupted") await this.#settle(generating);
    const unfinished = ending.kind === "all-ended" ? [] : [...this.#generator.inFlight];
    const stuck = await describeUnfinished(backend.client, unfinished);
    this.#stopWaiting.abort();
    await generating;
    this.#stopFollowing.abort();
    return {
      result: this.#close(startedMs, ending, hub, stuck),
      gaveUp: ending.kind === "given-up" ? ending.reason : undefined,
    };
  }

  /** Ends the run's own workers, after they have finished what they hold. */
  async close(): Promise<void> {
    this.#stopStarting.abort();
    this.#stopWaiting.abort();
    this.#stopFollowing.abort();
    await this.#workers.stop();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopFollowing;
    while (!signal.aborted) {
      try {
        await this.#progress.follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.options.onLine(`progress is not known at the moment: ${errorText(error)}`);
      }
      await sleep(FOLLOW_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }

  #giveUp(reason: string): void {
    this.#stopStarting.abort();
    this.#givenUp.resolve({ kind: "given-up", reason });
  }

  async #ending(generating: Promise<void>): Promise<Ending> {
    const { plan, interruption } = this.options;
    const done = new AbortController();
    const interrupted = new Promise<Ending>((resolve) => {
      if (interruption.aborted) resolve({ kind: "interrupted" });
      interruption.addEventListener("abort", () => resolve({ kind: "interrupted" }), { signal: done.signal });
    });
    let timer: NodeJS.Timeout | undefined;
    void this.#generator.allStarted.then(() => {
      if (done.signal.aborted) return;
      const reason = `not everything ended within ${formatDuration(plan.timeoutMs)} of the last start (--timeout)`;
      timer = setTimeout(() => this.#giveUp(reason), plan.timeoutMs);
    });
    const allEnded = generating.then((): Ending => ({ kind: "all-ended" }));
    const ending = await Promise.race([interrupted, allEnded, this.#givenUp.promise]);
    done.abort();
    clearTimeout(timer);
    return ending;
  }

  /** After an interruption: what runs on the run's own workers ends with it, what others execute is left to them. */
  async #settle(generating: Promise<void>): Promise<void> {
    const { backend, runId, leave, onLine } = this.options;
    const { inFlight, allStarted } = this.#generator;
    // Starts that have left may be accepted yet, and then want ending like the others.
    const answered = await Promise.race([allStarted.then(() => true), sleep(START_PATIENCE_MS, false, { ref: false })]);
    if (answered && inFlight.size === 0) {
      onLine("interrupted: nothing is in flight");
      return;
    }
    const count = plural(inFlight.size, "orchestration");
    if (this.#workers.ownWorkers > 0 && !leave) {
      onLine(`interrupted: terminating ${count} in flight; press Ctrl-C again to exit now`);
      const ids = allStarted.then(() => [...inFlight]);
      await terminateAll(backend.client, ids, generating);
      return;
    }
    const prefix = instanceIdPrefixOf(runId);
    onLine(`interrupted: ${count} in flight left running on task hub ${backend.connection.taskHub}, ids ${prefix}*`);
  }

  #close(startedMs: number, ending: Ending, hub: HubSurvey, stuck: readonly StuckInstance[]): RunResult {
    const { backend, runId, clock } = this.options;
    return this.#recorder.close(runId, {
      startedMs,
      endedMs: clock(),
      interrupted: ending.kind === "interrupted",
      environment: describeEnvironment(backend, this.#workers.ownWorkers, hub),
      activitiesCompleted: this.#progress.activitiesCompleted(),
      rpcErrors: backend.client.rpcErrors,
      stuck,
    });
  }
}

function resultPlanOf(loadPlan: LoadPlan): ResultPlan {
  const { orchestrator, workerWarningMs: _warning, workerDeadlineMs: _deadline, ...plan } = loadPlan;
  return { ...plan, ...(orchestrator && { orchestrator: orchestrator.name }) };
}

/** What is started, with how many activities its output has to account for; undefined where that is not known. */
function orchestrationOf(plan: LoadPlan): GeneratorOptions["orchestration"] {
  const { orchestrator, iterations, parallelActivities, activity, continueAsNewEvery } = plan;
  if (orchestrator) return { name: orchestrator.name, input: orchestrator.input, activities: undefined };
  const input: FanOutFanInRequest = {
    iterations,
    parallelActivities,
    includeResults: false,
    ...(activity && { activity }),
    ...(continueAsNewEvery !== undefined && { continueAsNewEvery }),
  };
  return {
    name: FAN_OUT_FAN_IN_ORCHESTRATION,
    input,
    activities: activitiesOf(plan),
  };
}
