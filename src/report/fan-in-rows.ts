import { formatCount, plural, threeDigits } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { oneLine } from "../format/one-line.js";
import type { FanIn, Growth, RunResult, Stragglers, TracedWorker } from "../result/run-result.js";
import { percent } from "./breakdown-rows.js";

/** What is less is no news. */
const NOTABLE = { ratio: 1.5, waitingShare: 0.05, savedShare: 0.05 };

/** What stands out of the fan-outs and the workers, in sentences; none where nothing does. */
export function standOutTexts({ fanIn, workers = [] }: RunResult): readonly string[] {
  return [...stragglerTexts(fanIn), ...growthTexts(fanIn), ...workers.flatMap(workerTexts)];
}

function stragglerTexts({ stragglers }: Partial<FanIn> = {}): readonly string[] {
  const { ratio = 0, waitingShare = 0, lastMs = 0, execute } = stragglers ?? {};
  if (ratio < NOTABLE.ratio || waitingShare < NOTABLE.waitingShare) return [];
  return [
    `stragglers: the last activity of a fan-out took ${formatDuration(lastMs)}, ${threeDigits(ratio)} times the median one` +
      `${executionText(execute)}; waiting for it was ${percent(waitingShare)} of the time`,
  ];
}

/** Whether the work itself straggles, or its way. */
function executionText(execute: Stragglers["execute"]): string {
  if (execute?.ratio === undefined) return "";
  return ` (execution alone: ${formatDuration(execute.longestMs)}, ${threeDigits(execute.ratio)} times)`;
}

/** Only where it is more than noise. */
function growthTexts({ growth }: Partial<FanIn> = {}): readonly string[] {
  if (!growth || growth.interval.from <= 0) return [];
  const { per100IterationsMs, interval, continueAsNew } = growth;
  return [
    `growth: each further 100 iterations add ${formatDuration(per100IterationsMs)} to an iteration ` +
      `(${formatDuration(interval.from)} to ${formatDuration(interval.to)})`,
    ...adviceTexts(continueAsNew),
  ];
}

function adviceTexts(advice: Growth["continueAsNew"]): readonly string[] {
  if (!advice || advice.savedShare < NOTABLE.savedShare) return [];
  const { every, savedMs, savedShare, actions } = advice;
  return [
    `advice: --continue-as-new-every ${every} would save about ${formatDuration(savedMs)} of each orchestration ` +
      `(${percent(savedShare)} of its iterations), for ${plural(actions, "more action")} each`,
  ];
}

function workerTexts(worker: TracedWorker): readonly string[] {
  return [...slowerTexts(worker), ...pauseTexts(worker)];
}

function slowerTexts({ workerId, timesTheOthers, turnaround }: TracedWorker): readonly string[] {
  // Of two workers each differs from the other: the slower one is the news.
  if (turnaround === undefined || timesTheOthers === undefined || timesTheOthers < 1) return [];
  return [
    `worker ${oneLine(workerId)} differs: an activity takes ${formatDuration(turnaround.mean)} there, ` +
      `${threeDigits(timesTheOthers)} times as long as on the others`,
  ];
}

function pauseTexts({ workerId, pause }: TracedWorker): readonly string[] {
  if (!pause) return [];
  const { at, lengthMs, inHand } = pause;
  return [
    `worker ${oneLine(workerId)} paused for ${formatDuration(lengthMs)} at ${at}, ` +
      `with ${plural(inHand, "traced activity")} in hand`,
  ];
}

/** What iterations took, in a sentence; undefined where there were none. */
export function iterationText({ fanIn }: RunResult): string | undefined {
  if (!fanIn) return undefined;
  const { iterations, iterationMs, episodes } = fanIn;
  const each = `${formatDuration(iterationMs)} and ${threeDigits(episodes)} episodes each on average`;
  return `${plural(iterations, "iteration")} of the traced orchestrations, ${each}`;
}

/** The workers of the traced orchestrations as a table of words. */
export interface WorkerTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

/** No rows where there is one worker of others, which says nothing that the phases do not. */
export function workerTable({ workers = [] }: RunResult): WorkerTable {
  const isOwn = workers.some(({ wholeRun }) => wholeRun);
  const hasVersion = workers.some(({ version }) => version !== undefined);
  const own = isOwn ? ["activities in all", "slowest in all", "episodes in all", "time in episodes"] : [];
  const times = ["execute p50", "execute p99", "slowest", "turnaround mean"];
  const columns = [...(hasVersion ? ["version"] : []), "traced activities", ...times, CLOCK_COLUMN, ...own];
  const rows = workers.map((worker) => ({
    name: oneLine(worker.workerId),
    cells: [
      ...(hasVersion ? [worker.version ?? ""] : []),
      ...tracedCells(worker),
      ...(isOwn ? wholeRunCells(worker) : []),
    ],
  }));
  return { columns, rows: rows.length > 1 || isOwn ? rows : [] };
}

const CLOCK_COLUMN = "clock against the backend's";

function tracedCells(worker: TracedWorker): readonly string[] {
  const { activities, execute, turnaround, clockOffsetMs, clockBoundMs = 0 } = worker;
  return [
    formatCount(activities),
    ...[execute?.p50, execute?.p99, execute?.max, turnaround?.mean].map(timeText),
    clockOffsetMs === undefined ? "" : `${signedText(clockOffsetMs)}, ± ${formatDuration(clockBoundMs)}`,
  ];
}

function wholeRunCells({ wholeRun }: TracedWorker): readonly string[] {
  if (!wholeRun) return ["", "", "", ""];
  const { activities, slowestMs, episodes, orchestratorMs } = wholeRun;
  return [formatCount(activities), timeText(slowestMs), formatCount(episodes), formatDuration(orchestratorMs)];
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? "" : formatDuration(ms);
}

function signedText(ms: number): string {
  return `${ms < 0 ? "-" : "+"}${formatDuration(Math.abs(ms))}`;
}
