import type { LoadPlan } from "../plan/plan.js";

/** Long enough for a worker that lost its connection to come back before it is replaced. */
const WORKERLESS_MS = 1_000;
const MOST_AUTOMATIC = 4;

/** What the policy looks at; times in milliseconds. */
export interface WorkerSituation {
  readonly backend: "emulator" | "scheduler";
  readonly ownWorkersStarted: boolean;
  /** A worker that hosts the orchestration of the run has been seen. */
  readonly seenWorker: boolean;
  /** For how long the task hub has had no such worker, as far as can be told. */
  readonly workerlessMs: number;
  /** Since the run began. */
  readonly elapsedMs: number;
  readonly warned: boolean;
  /** A person sits at a terminal and may start a worker. */
  readonly attended: boolean;
}

export type WorkerDecision = "start-own" | "warn" | "give-up" | undefined;

/** What to do about workers now. */
export function decideWorkers(plan: LoadPlan, situation: WorkerSituation): WorkerDecision {
  const { workerlessMs, elapsedMs } = situation;
  if (!situation.ownWorkersStarted && wantsOwnWorkers(plan, situation)) return "start-own";
  // A hub that has been idle for a day has not kept this run waiting for a day.
  const waitingMs = Math.min(workerlessMs, elapsedMs);
  if (plan.orchestrator !== undefined && !situation.seenWorker) return decideHost(plan, situation, waitingMs);
  if (waitingMs >= plan.workerDeadlineMs && !situation.attended) return "give-up";
  if (waitingMs >= plan.workerWarningMs && !situation.warned) return "warn";
  return undefined;
}

/**
 * Somebody's own orchestration that no worker has taken up yet. The emulator knows who hosts it, so that a person is told
 * at once; elsewhere it shows in instances that stay Pending. A misspelt name would keep a run waiting for ever, so it
 * ends with a person at the terminal too.
 */
function decideHost(plan: LoadPlan, { backend, warned }: WorkerSituation, waitingMs: number): WorkerDecision {
  const isKnown = backend === "emulator";
  if (waitingMs >= (isKnown ? plan.workerWarningMs : plan.workerDeadlineMs)) return "give-up";
  return !warned && waitingMs > 0 && (isKnown || waitingMs >= plan.workerWarningMs) ? "warn" : undefined;
}

function wantsOwnWorkers(plan: LoadPlan, situation: WorkerSituation): boolean {
  return mayStartOwn(plan, situation.backend) && (plan.workers !== "auto" || situation.workerlessMs >= WORKERLESS_MS);
}

/** Whether the run sees to its workers itself: they host the fan-out, and not somebody's own orchestration. */
export function mayStartOwn({ workers, orchestrator }: LoadPlan, backend: WorkerSituation["backend"]): boolean {
  return workers === "auto" ? backend === "emulator" && orchestrator === undefined : workers > 0;
}

/** How many worker processes to start: what the plan says, or one for each core and orchestration, at most 4. */
export function ownWorkerCount(plan: LoadPlan, cores: number): number {
  if (plan.workers !== "auto") return plan.workers;
  return Math.min(Math.max(1, Math.min(cores, plan.parallelOrchestrations ?? cores)), MOST_AUTOMATIC);
}

/** Activities that an own worker runs at a time. Sleeping activities cost only memory, so it runs more of them. */
const MOST_AWAKE = 2_000;
const MOST_ASLEEP = 20_000;
const LEAST_ACTIVITIES = 100;
const ACTIVITIES_BYTES = 256 * 1024 * 1024;
/** What one takes besides its payloads, and how often a payload is there: as bytes, as text, as a value. */
const ACTIVITY_BYTES = 4_096;
const PAYLOAD_COPIES = 3;

/** Of activities that take their time all are to run at once. */
export function ownWorkerActivities({ activity }: LoadPlan): number {
  const most = activity?.duration === undefined ? MOST_AWAKE : MOST_ASLEEP;
  const payloadBytes = (activity?.inputBytes ?? 0) + (activity?.outputBytes ?? 0);
  const fitting = Math.floor(ACTIVITIES_BYTES / (ACTIVITY_BYTES + PAYLOAD_COPIES * payloadBytes));
  return Math.max(LEAST_ACTIVITIES, Math.min(most, fitting));
}
