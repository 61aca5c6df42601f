import type { BreakdownPhase } from "../result/run-result.js";
import type { ClockOffset } from "./clock-offset.js";
import { criticalPath, type PathPart } from "./critical-path.js";
import { spentOn, type SpentTime, type WorkerOffset } from "./phases.js";
import type { TracedInstance } from "./traced-instance.js";

/** Some backends cut the time of the creation to a millisecond: what is closer is the same moment. */
const SAME_MOMENT_US = 1_000;

/** The times of an instance by the backend's clock. */
interface BackendTimes {
  readonly createdUs: number;
  /** When its last execution started: later than the creation where it was continued as new. */
  readonly startedUs: number;
  /** Undefined of one that had not ended. */
  readonly endedUs: number | undefined;
}

/** Undefined where the history has no start: it is gone, or never was. */
export function backendTimesOf({ history, createdUs, outcome }: TracedInstance): BackendTimes | undefined {
  const startedUs = history.find(({ kind }) => kind === "execution-started")?.atUs;
  if (startedUs === undefined) return undefined;
  const ended = outcome === "unfinished" ? undefined : history.findLast(({ kind }) => kind === "ended");
  const isContinued = createdUs !== undefined && startedUs - createdUs > SAME_MOMENT_US;
  return { createdUs: isContinued ? createdUs : startedUs, startedUs, endedUs: ended?.atUs };
}

/** Notes what the times of an instance say about the client's clock against the backend's. */
export function observeClient(clock: ClockOffset, instance: TracedInstance, times: BackendTimes): void {
  // Where the creation is not told, that of the history may be of a later execution.
  if (instance.createdUs !== undefined) {
    clock.sent(instance.sentUs, times.createdUs);
    if (instance.acceptedUs !== undefined) clock.received(times.createdUs, instance.acceptedUs);
  }
  if (times.endedUs !== undefined) clock.received(times.endedUs, instance.endedUs);
}

/**
 * All that an instance spent its time on, in order: it adds up to the time from the intended start until the end was noticed,
 * to the microsecond. Undefined where that is not known: its own times contradict each other by any offset of the clocks.
 */
export function timesOf(
  instance: TracedInstance,
  client: ClockOffset,
  workerOffset: WorkerOffset,
): readonly SpentTime[] | undefined {
  const times = backendTimesOf(instance);
  if (!times) return undefined;
  const { createdUs, startedUs } = times;
  const offset = offsetFor(instance, times, client);
  if (!offset) return undefined;
  const { offsetUs, boundUs } = offset;
  const untilUs = times.endedUs ?? Math.max(startedUs, instance.endedUs - offsetUs);
  const parts = criticalPath(instance.history, {
    children: instance.children,
    ...((times.endedUs === undefined || instance.outcome === "terminated") && { untilUs }),
  });
  const inBackend: readonly PathPart[] = [
    ...(startedUs > createdUs
      ? [{ kind: "phase", phase: "earlierExecutions", fromUs: createdUs, toUs: startedUs } as const]
      : []),
    ...parts,
  ];
  const endUs = inBackend.at(-1)?.toUs ?? createdUs;
  const noticeUs = instance.endedUs - offsetUs - endUs;
  const spent = [
    { phase: "slip" as const, us: instance.sentUs - instance.intendedUs },
    { phase: "start" as const, us: createdUs + offsetUs - instance.sentUs, boundUs },
    ...inBackend.flatMap((part) => spentOn(part, workerOffset)),
    ...(times.endedUs === undefined ? restOf("open", noticeUs) : [{ phase: "notice" as const, us: noticeUs, boundUs }]),
  ];
  return spent.every(({ us }) => us >= 0) ? spent : undefined;
}

function restOf(phase: BreakdownPhase, us: number): readonly SpentTime[] {
  return us === 0 ? [] : [{ phase, us }];
}

/** client - backend, a whole number that lets it be created after it was sent and noticed after it ended. */
function offsetFor(
  { sentUs, endedUs }: TracedInstance,
  times: BackendTimes,
  client: ClockOffset,
): { readonly offsetUs: number; readonly boundUs: number } | undefined {
  const found = client.at(times.endedUs ?? times.createdUs);
  if (!found) return undefined;
  const leastUs = sentUs - times.createdUs;
  const mostUs = times.endedUs === undefined ? Number.POSITIVE_INFINITY : endedUs - times.endedUs;
  const offsetUs = Math.min(Math.max(Math.round(found.offsetUs), leastUs), mostUs);
  return offsetUs < leastUs ? undefined : { offsetUs, boundUs: found.boundUs };
}
