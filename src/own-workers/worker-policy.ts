import { foreignNames } from "../plan/orchestration-mix.js";
import type { LoadPlan } from "../plan/plan.js";

/** Long enough for a worker to reconnect before it is replaced. */
const WORKERLESS_MS = 1_000;
const MOST_AUTOMATIC = 4;

/** The input of the policy. Times are milliseconds. */
export interface WorkerSituation {
  readonly backend: "emulator" | "scheduler";
  readonly ownWorkersStarted: boolean;
  /** Whether a worker that hosts the run's orchestration has been seen. */
  readonly seenWorker: boolean;
  /** How long the task hub has had no such worker, as far as known. */
  readonly workerlessMs: number;
  /** The time since the run began. */
  readonly elapsedMs: number;
  readonly warned: boolean;
  /** Whether a person sits at a terminal and may start a worker. */
  readonly attended: boolean;
}

export type WorkerDecision = "start-own" | "warn" | "give-up" | undefined;

/** Decides what to do about workers now. */
export function decideWorkers(plan: LoadPlan, situation: WorkerSituation): WorkerDecision {
  const { workerlessMs, elapsedMs } = situation;
  if (!situation.ownWorkersStarted && wantsOwnWorkers(plan, situation)) return "start-own";
  // A hub that has been idle for a day has not delayed this run for a day.
  const waitingMs = Math.min(workerlessMs, elapsedMs);
  if (foreignNames(plan).length > 0 && !situation.seenWorker) return decideHost(plan, situation, waitingMs);
  if (waitingMs >= plan.workerDeadlineMs && !situation.attended) return "give-up";
  if (waitingMs >= plan.workerWarningMs && !situation.warned) return "warn";
  return undefined;
}

/**
 * The decision for somebody's own orchestration that no worker has begun. The emulator knows its hosts, so a person
 * learns it at once. On other backends it shows in instances that stay Pending. A wrong name would keep a run waiting
 * for ever, so the run gives up even with a person at the terminal.
 */
function decideHost(plan: LoadPlan, { backend, warned }: WorkerSituation, waitingMs: number): WorkerDecision {
  const isKnown = backend === "emulator";
  if (waitingMs >= (isKnown ? plan.workerWarningMs : plan.workerDeadlineMs)) return "give-up";
  return !warned && waitingMs > 0 && (isKnown || waitingMs >= plan.workerWarningMs) ? "warn" : undefined;
}

function wantsOwnWorkers(plan: LoadPlan, situation: WorkerSituation): boolean {
  return mayStartOwn(plan, situation.backend) && (plan.workers !== "auto" || situation.workerlessMs >= WORKERLESS_MS);
}

/** Whether the run may start workers: they host the fan-out, and not somebody's own orchestration. */
export function mayStartOwn(plan: LoadPlan, backend: WorkerSituation["backend"]): boolean {
  const { workers } = plan;
  return workers === "auto" ? backend === "emulator" && foreignNames(plan).length === 0 : workers > 0;
}

/** The number of worker processes: that of the plan, or one for each core and orchestration, at most 4. */
export function ownWorkerCount(plan: LoadPlan, cores: number): number {
  if (plan.workers !== "auto") return plan.workers;
  return Math.min(Math.max(1, Math.min(cores, plan.parallelOrchestrations ?? cores)), MOST_AUTOMATIC);
}

/**
 * The limit of concurrent activities of a worker. Sleeping activities cost only memory, so there may be more of them.
 */
const MOST_AWAKE = 2_000;
const MOST_ASLEEP = 20_000;
const LEAST_ACTIVITIES = 100;
const ACTIVITIES_BYTES = 256 * 1024 * 1024;
/**
 * The memory of an activity besides its payloads, and the number of copies of a payload: as bytes, as text, as a value.
 */
const ACTIVITY_BYTES = 4_096;
const PAYLOAD_COPIES = 3;

/** Activities with a duration all run at once. */
export function ownWorkerActivities({ activity }: LoadPlan): number {
  const most = activity?.duration === undefined ? MOST_AWAKE : MOST_ASLEEP;
  const payloadBytes = (activity?.inputBytes ?? 0) + (activity?.outputBytes ?? 0);
  const fitting = Math.floor(ACTIVITIES_BYTES / (ACTIVITY_BYTES + PAYLOAD_COPIES * payloadBytes));
  return Math.max(LEAST_ACTIVITIES, Math.min(most, fitting));
}
