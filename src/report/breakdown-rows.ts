import { plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { oneLine } from "../format/one-line.js";
import { BREAKDOWN_PHASES, PHASE_MEANINGS } from "../result/breakdown-schema.js";
import type { Breakdown, BreakdownPhase, PhaseTime, RunResult } from "../result/run-result.js";

/** How a person reads the names of phases. */
const WORDS: Readonly<Record<string, string>> = {
  earlierExecutions: "earlier executions",
  firstDispatch: "first dispatch",
  subOrchestration: "sub-orchestration",
  fanIn: "fan-in",
  startAndNotice: "start and notice",
  queueAndReturn: "queue and return",
};

export function phaseWord(phase: string): string {
  return WORDS[phase] ?? oneLine(phase);
}

/** Where the time went, as a table of words: the largest share first. */
export interface BreakdownTable {
  readonly columns: readonly string[];
  readonly rows: readonly BreakdownRow[];
  /** What the figures are of, and what is missing. */
  readonly notes: readonly string[];
}

export interface BreakdownRow {
  readonly phase: BreakdownPhase;
  readonly name: string;
  readonly share: number;
  /** Of the 95 % interval of the share. */
  readonly halfWidth: number | undefined;
  readonly meanMs: number;
  /** One for each of the columns, "" where there is no figure. */
  readonly cells: readonly string[];
  readonly meaning: string;
}

const COLUMNS = ["share", "95 % interval", "in each", "times", "p50", "p90"];

/** Undefined where nothing was traced. */
export function breakdownTable({ breakdown, plan }: RunResult): BreakdownTable | undefined {
  if (!breakdown) return undefined;
  const { phases = {} } = breakdown;
  const rows = BREAKDOWN_PHASES.flatMap((phase) => {
    const time = phases[phase];
    return time ? [rowOf(phase, time)] : [];
  }).toSorted((a, b) => b.share - a.share);
  return { columns: COLUMNS, rows, notes: notesOf(breakdown, { isForeign: plan.orchestrator !== undefined }) };
}

function rowOf(phase: BreakdownPhase, { share, shareInterval, meanMs, each, boundMs }: PhaseTime): BreakdownRow {
  const bound = boundMs === undefined ? "" : `, ± ${formatDuration(boundMs)}`;
  return {
    phase,
    name: phaseWord(phase),
    share,
    halfWidth: shareInterval && (shareInterval.to - shareInterval.from) / 2,
    meanMs,
    cells: [
      percent(share),
      shareInterval ? `${percent(shareInterval.from)} to ${percent(shareInterval.to)}` : "",
      formatDuration(meanMs),
      each.count.toString(),
      durationText(each.p50),
      durationText(each.p90),
    ],
    meaning: PHASE_MEANINGS[phase] + bound,
  };
}

function durationText(ms: number | undefined): string {
  return ms === undefined ? "" : formatDuration(ms);
}

/** A share in percent to one decimal: the shares of a breakdown are read against each other. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function notesOf(
  { orchestrations, contradictory, missing, phases, wholeMs }: Breakdown,
  { isForeign }: { readonly isForeign: boolean },
): readonly string[] {
  const { traced, completed } = orchestrations;
  const others = (["failed", "terminated", "unfinished", "retried"] as const).flatMap((mark) =>
    orchestrations[mark] > 0 ? [`${orchestrations[mark]} ${mark}`] : [],
  );
  const marks =
    completed === traced && others.length === 0 ? "" : ` (${[`${completed} completed`, ...others].join(", ")})`;
  return [
    ...(wholeMs === undefined
      ? []
      : [`of ${plural(traced, "traced orchestration")}${marks}, ${formatDuration(wholeMs)} each on average`]),
    ...(phases?.activity ? [unstampedText(isForeign)] : []),
    ...(contradictory
      ? [`${plural(contradictory, "traced orchestration")} left out: history gone, or its times contradict`]
      : []),
    ...(missing === undefined ? [] : [oneLine(missing)]),
  ];
}

function unstampedText(isForeign: boolean): string {
  return isForeign
    ? "activity is queue, execution and return together: the worker does not stamp"
    : "activity is queue, execution and return together: it failed, or its worker does not stamp";
}
