import { FanoutError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { isEnded } from "../backend/ended-status.js";
import type { InstanceStatus } from "../hub/instance-status.js";
import type { LookedUp } from "../hub/look-up.js";
import { unknownRun } from "../hub/hub-errors.js";
import { RunObserver, type RunStatus } from "../hub/run-status.js";
import { watchInstances, watchRun } from "../hub/watch.js";
import { clientClock } from "../async/clock.js";
import { styleFor } from "../report/text-style.js";
import { liveView } from "../report/live.js";
import { instanceLines, runText } from "../report/status-text.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { documentOf, instancesContent, unknownExitCode, write, type StatusCall } from "./status-call.js";

/** Shows a run until all its instances have ended. */
export async function followRun(call: StatusCall, runId: string): Promise<ExitCode> {
  const { backend, io } = call;
  const observing = new AbortController();
  const run = new RunObserver(backend, runId, AbortSignal.any([call.signal, observing.signal]));
  try {
    const last = await show(call, watchRun(run), {
      content: (run) => ({ run }),
      snapshot: runSnapshot,
      changes: () => "",
    });
    if (!last) throw unknownRun(runId, backend);
    if (last.ended < last.instances)
      throw new FanoutError("run-not-found", `Run ${runId} was purged while it was watched.`);
    if (!call.json) write(io, runText(last, styleFor(io.stdout)));
    const { Failed = 0, Terminated = 0, Canceled = 0 } = last.byStatus;
    return Failed + Terminated + Canceled === 0 ? ExitCode.Success : ExitCode.Failure;
  } finally {
    observing.abort();
  }
}

/** Shows instances until all of them have ended. */
export async function followInstances(call: StatusCall, ids: readonly string[]): Promise<ExitCode> {
  const { backend, io, signal } = call;
  const style = styleFor(io.stdout);
  const last = await show(call, watchInstances(backend.client, ids, signal), {
    content: (looked) => instancesContent(looked, backend),
    snapshot: instancesSnapshot,
    changes: (looked, before) => instanceLines(newlyEnded(looked, before), Date.now(), styleFor(io.stderr)),
  });
  const looked = last ?? { instances: [], unknown: [] };
  const { instances } = looked;
  if (!call.json) write(io, instanceLines(instances, Date.now(), style));
  const allWell = instances.every(({ status }) => status === "Completed");
  return unknownExitCode(looked, call) ?? (allWell ? ExitCode.Success : ExitCode.Failure);
}

interface Shown<T> {
  /** What a JSON line holds. */
  readonly content: (value: T) => object;
  readonly snapshot: (value: T) => Omit<LiveSnapshot, "elapsedMs"> & { readonly durationMs: number };
  /** What is new against the value before, as lines for a person; "" if nothing is. */
  readonly changes: (value: T, before: T) => string;
}

/** Follows values to the last, which it returns: as JSON lines, one for each change, or in a live view on stderr. */
async function show<T>(call: StatusCall, values: AsyncIterable<T>, shown: Shown<T>): Promise<T | undefined> {
  const follow = call.json ? showAsJson : showLive;
  return await follow(call, values, shown);
}

async function showAsJson<T>(
  { backend, io }: StatusCall,
  values: AsyncIterable<T>,
  { content }: Shown<T>,
): Promise<T | undefined> {
  let last: T | undefined;
  let lineBefore: string | undefined;
  for await (const value of values) {
    last = value;
    const line = documentOf(backend, content(value), 0);
    if (line !== lineBefore) write(io, line);
    lineBefore = line;
  }
  return last;
}

async function showLive<T>(
  { io }: StatusCall,
  values: AsyncIterable<T>,
  { snapshot, changes }: Shown<T>,
): Promise<T | undefined> {
  let last: T | undefined;
  let begun: { readonly atMs: number; readonly durationMs: number } | undefined;
  // Never compares the two clocks: adds the time since on the client's clock to the duration by the backend's clock.
  const view = liveView(io.stderr, () => {
    const { durationMs, ...counts } = snapshot(last!);
    const sinceMs = begun === undefined ? 0 : begun.durationMs + clientClock() - begun.atMs;
    return { ...counts, elapsedMs: Math.max(durationMs, sinceMs) };
  });
  try {
    for await (const value of values) {
      const before = last;
      last = value;
      if (before === undefined) {
        begun = { atMs: clientClock(), durationMs: snapshot(value).durationMs };
        view.start();
      } else {
        const lines = changes(value, before);
        if (lines !== "") view.line(lines);
      }
    }
    return last;
  } finally {
    view.stop();
  }
}

function runSnapshot({ instances, ended, activities, durationMs }: RunStatus) {
  return {
    durationMs,
    orchestrations: { total: instances, started: instances, ended },
    activities: { total: activities?.needed ?? 0, completed: activities?.completed ?? 0 },
    responseMs: undefined,
  };
}

function instancesSnapshot({ instances }: LookedUp) {
  const createdMs = instances.map(({ createdAt }) => Date.parse(createdAt));
  const updatedMs = instances.map(({ lastUpdatedAt }) => Date.parse(lastUpdatedAt));
  const sum = (part: (instance: InstanceStatus) => number): number =>
    instances.reduce((sum, instance) => sum + part(instance), 0);
  return {
    durationMs: instances.length === 0 ? 0 : Math.max(...updatedMs) - Math.min(...createdMs),
    orchestrations: {
      total: instances.length,
      started: instances.length,
      ended: instances.filter(({ status }) => isEnded(status)).length,
    },
    activities: { total: sum(({ activitiesNeeded }) => activitiesNeeded ?? 0), completed: sum(activitiesDone) },
    responseMs: undefined,
  };
}

function activitiesDone({ status, progress, activitiesNeeded = 0 }: InstanceStatus): number {
  return status === "Completed" ? activitiesNeeded : (progress?.activitiesCompleted ?? 0);
}

function newlyEnded({ instances }: LookedUp, before: LookedUp): readonly InstanceStatus[] {
  const endedBefore = new Set(before.instances.flatMap((each) => (isEnded(each.status) ? [each.instanceId] : [])));
  return instances.filter(({ instanceId, status }) => isEnded(status) && !endedBefore.has(instanceId));
}
