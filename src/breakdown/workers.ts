import type { OwnWork } from "../protocol/worker-messages.js";
import type { TracedWorker } from "../result/run-result.js";
import { holm } from "../stats/holm.js";
import { logRatioOf, pOfWithin, type LogRatio } from "../stats/log-ratio.js";
import type { ClockOffset } from "./clock-offset.js";
import { activitiesOf, type History } from "./critical-path.js";
import { pausesOf, type Execution } from "./pauses.js";
import { summaryOf } from "./summary.js";
import type { Stamps } from "./stamps.js";
import type { TracedInstance } from "./traced-instance.js";

/** A difference within it is none. */
const NOISE = 0.1;
const ALPHA = 0.05;
/** Orchestrations on either side: fewer show no noise. */
const LEAST_UNITS = 5;

interface Executed {
  readonly stamps: Stamps;
  /** From TaskScheduled until the result was in the history. */
  readonly tookUs: number;
  readonly completedUs: number;
  /** Activities of one orchestration are not independent. */
  readonly instanceId: string;
}

/**
 * What each worker executed of the traced orchestrations, as the stamps say, and what the run's own workers say of the whole
 * run; in the order of their names.
 */
export function workersOf(
  instances: readonly TracedInstance[],
  clocks: ReadonlyMap<string, ClockOffset>,
  ownWork: readonly OwnWork[] = [],
): readonly TracedWorker[] {
  const executed = instances.flatMap(({ instanceId, history, children }) =>
    [history, ...children.values()].flatMap((one) => [...executedIn(one, instanceId)]),
  );
  const byWorker = Map.groupBy(executed, ({ stamps }) => stamps.workerId);
  const wholeRun = new Map(ownWork.map((own) => [own.workerId, own]));
  const workerIds = [...new Set([...byWorker.keys(), ...wholeRun.keys()])].toSorted();
  const ratios = workerIds.map((workerId) => againstOthers(workerId, byWorker));
  const tests = holm(
    ratios.map((ratio) => (ratio ? pOfWithin(ratio, NOISE) : 1)),
    ALPHA,
  );
  const pauses = pausesOf(executionsOf(byWorker, clocks));
  return workerIds.map((workerId, index) => {
    const own = byWorker.get(workerId) ?? [];
    const told = wholeRun.get(workerId);
    const [ratio, differs] = [ratios[index], tests[index]!.adjusted < ALPHA];
    const pause = pauses.get(workerId);
    const version = told?.version ?? own.findLast(({ stamps }) => stamps.version !== undefined)?.stamps.version;
    return {
      workerId,
      ...identityOf(workerId, version),
      activities: own.length,
      ...timesOf(own, clocks.get(workerId)),
      ...(ratio && differs && { timesTheOthers: Math.exp(ratio.difference) }),
      ...(pause && { pause }),
      ...(told && { wholeRun: wholeRunOf(told) }),
    };
  });
}

/** A run's own worker that nothing was traced of. */
export function untracedWorker(own: OwnWork): TracedWorker {
  const { workerId, version } = own;
  return { workerId, ...identityOf(workerId, version), activities: 0, wholeRun: wholeRunOf(own) };
}

function wholeRunOf({
  activities,
  episodes,
  orchestratorMs,
  slowestMs,
}: OwnWork): NonNullable<TracedWorker["wholeRun"]> {
  return { activities, episodes, orchestratorMs, ...(activities > 0 && { slowestMs }) };
}

/** The id of a worker that says its version is `HOST-PID`. */
function identityOf(workerId: string, version: string | undefined): Pick<TracedWorker, "host" | "version"> {
  return version === undefined ? {} : { host: workerId.replace(/-\d+$/u, ""), version };
}

/** Of the activities that a worker executed; nothing of none. */
function timesOf(own: readonly Executed[], clock: ClockOffset | undefined): Partial<TracedWorker> {
  const last = own.at(-1);
  if (!last) return {};
  const offset = clock?.at(last.completedUs);
  return {
    execute: summaryOf(own.map(({ stamps }) => stamps.finishedUs - stamps.startedUs)),
    turnaround: summaryOf(own.map(({ tookUs }) => tookUs)),
    ...(offset && { clockOffsetMs: offset.offsetUs / 1_000, clockBoundMs: offset.boundUs / 1_000 }),
  };
}

/** By the backend's clock; those of a worker whose clock is not known are left out. */
function executionsOf(
  byWorker: ReadonlyMap<string, readonly Executed[]>,
  clocks: ReadonlyMap<string, ClockOffset>,
): ReadonlyMap<string, readonly Execution[]> {
  const executions = [...byWorker].map(([workerId, executed]) => {
    const clock = clocks.get(workerId);
    const own = executed.flatMap(({ stamps: { startedUs, finishedUs }, completedUs }) => {
      const offsetUs = clock?.at(completedUs)?.offsetUs;
      return offsetUs === undefined ? [] : { startedUs: startedUs - offsetUs, finishedUs: finishedUs - offsetUs };
    });
    return [workerId, own] as const;
  });
  return new Map(executions);
}

function* executedIn(history: History, instanceId: string): Iterable<Executed> {
  for (const { fromUs, toUs, stamps } of activitiesOf(history))
    if (stamps) yield { stamps, tookUs: toUs - fromUs, completedUs: toUs, instanceId };
}

/**
 * How long activities took on a worker against all others. The unit is the orchestration: the mean of its activities there.
 * Undefined where too few have activities on either side.
 */
function againstOthers(workerId: string, byWorker: ReadonlyMap<string, readonly Executed[]>): LogRatio | undefined {
  const others = [...byWorker].filter(([id]) => id !== workerId).flatMap(([, executed]) => executed);
  const [own, rest] = [meansOf(byWorker.get(workerId) ?? []), meansOf(others)];
  return Math.min(own.length, rest.length) < LEAST_UNITS ? undefined : logRatioOf(rest, own);
}

function meansOf(executed: readonly Executed[]): readonly number[] {
  return [...Map.groupBy(executed, ({ instanceId }) => instanceId).values()].map(
    // A logarithm of none is none.
    (own) => Math.max(1, own.reduce((sum, { tookUs }) => sum + tookUs, 0) / own.length),
  );
}
