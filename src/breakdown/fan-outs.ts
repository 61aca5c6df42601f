import type { History } from "./critical-path.js";

/** A fan-out of an orchestration and its fan-in: one iteration. Microseconds by the backend's clock. */
export interface FanOut {
  /** When the episode began that asked for its activities, or for the sub-orchestrations that share them. */
  readonly fromUs: number;
  /** When the episode began that went on after the last of them. */
  readonly toUs: number;
  /** From when each activity or sub-orchestration was asked for until its result was in the history, ascending. */
  readonly tasksUs: readonly number[];
  /** The executions of its activities by their workers' clocks, ascending; absent where one of them has no stamps. */
  readonly executionsUs?: readonly number[];
  /** Begun for it, the ones that waited on included. */
  readonly episodes: number;
}

/** The fan-outs of an execution that have been answered in full and that it went on after, in order. */
export function fanOutsOf(history: History): readonly FanOut[] {
  const times = timesOf(history);
  const fanOuts: FanOut[] = [];
  let episodes = 0;
  let startedUs = 0;
  let open: { readonly fromUs: number; readonly episode: number; readonly ids: number[] } | undefined;
  const close = (): void => {
    if (open === undefined || open.episode === episodes) return;
    const tasks = open.ids.flatMap((id) => times.get(id) ?? []);
    if (tasks.length === open.ids.length)
      fanOuts.push({ fromUs: open.fromUs, toUs: startedUs, ...ascending(tasks), episodes: episodes - open.episode });
    open = undefined;
  };
  for (const moment of history) {
    if (moment.kind === "orchestrator-started") {
      episodes += 1;
      startedUs = moment.atUs;
    } else if (moment.kind === "ended") {
      close();
    } else if (moment.kind === "asked") {
      close();
      if (moment.what === "timer") continue;
      open ??= { fromUs: startedUs, episode: episodes, ids: [] };
      open.ids.push(moment.id);
    }
  }
  return fanOuts;
}

/** Microseconds. */
interface TaskTimes {
  /** Until its result was in the history. */
  readonly tookUs: number;
  /** Undefined without stamps. */
  readonly executionUs: number | undefined;
}

function ascending(tasks: readonly TaskTimes[]): Pick<FanOut, "tasksUs" | "executionsUs"> {
  const executionsUs = tasks.flatMap(({ executionUs }) => executionUs ?? []).toSorted((a, b) => a - b);
  return {
    tasksUs: tasks.map(({ tookUs }) => tookUs).toSorted((a, b) => a - b),
    ...(executionsUs.length === tasks.length && { executionsUs }),
  };
}

/** What activities and sub-orchestrations took, by their ids. */
function timesOf(history: History): ReadonlyMap<number, TaskTimes> {
  const askedUs = new Map<number, number>();
  const times = new Map<number, TaskTimes>();
  for (const moment of history) {
    if (moment.kind === "asked") askedUs.set(moment.id, moment.atUs);
    if (moment.kind !== "answered" || moment.what === "timer") continue;
    const fromUs = askedUs.get(moment.id);
    if (fromUs === undefined) continue;
    const { stamps } = moment;
    const executionUs = stamps && stamps.finishedUs - stamps.startedUs;
    times.set(moment.id, { tookUs: moment.atUs - fromUs, executionUs });
  }
  return times;
}

/** What it took, in microseconds. */
export function lengthOf({ fromUs, toUs }: FanOut): number {
  return Math.max(0, toUs - fromUs);
}
