import { formatBytes } from "../format/bytes.js";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";

/** The work of an emulator since its start, and its current state. */
export interface EmulatorFigures {
  readonly orchestrationsEnded: number;
  readonly activitiesCompleted: number;
  readonly inFlight: number;
  readonly workers: number;
  readonly storeBytes: number;
}

const INDENT = "  ";
/** The gap between two parts. The second one is used if the line is too wide with the first. */
const GAPS = ["   ", "  "] as const;

/**
 * The parts of the live line, the most important one first: rates between two states `elapsedMs` apart, which is more
 * than 0, and the later state. If nothing ended and nothing is in flight, `idle` replaces the rates.
 */
export function liveParts(before: EmulatorFigures, now: EmulatorFigures, elapsedMs: number): readonly string[] {
  const ended = now.orchestrationsEnded - before.orchestrationsEnded;
  const completed = now.activitiesCompleted - before.activitiesCompleted;
  const held = [now.workers === 0 ? "no workers" : plural(now.workers, "worker"), formatBytes(now.storeBytes)];
  if (ended === 0 && completed === 0 && now.inFlight === 0) return ["idle", ...held];
  const rate = (count: number, noun: string): string => `${plural(Math.round((count * 1_000) / elapsedMs), noun)}/s`;
  return [rate(ended, "orchestration"), rate(completed, "activity"), `${formatCount(now.inFlight)} in flight`, ...held];
}

/**
 * Joins the parts to a line of at most `columns - 1`, because a terminal wraps a line that fills it. Parts that do not
 * fit are dropped from the end. A part is never cut, because the first digits of a count look like a count.
 */
export function fitLine(parts: readonly string[], columns: number): string {
  for (let count = parts.length; count > 0; count -= 1) {
    for (const gap of GAPS) {
      const line = INDENT + parts.slice(0, count).join(gap);
      if (line.length < columns) return line;
    }
  }
  return "";
}

/** `1,204 orchestrations, 12,040 activities` */
export function workText({ orchestrationsEnded, activitiesCompleted }: EmulatorFigures): string {
  return `${plural(orchestrationsEnded, "orchestration")}, ${plural(activitiesCompleted, "activity")}`;
}

/** The closing line: `stopped after 2m10s: 1,204 orchestrations, 12,040 activities` */
export function closingText(figures: EmulatorFigures, ranMs: number): string {
  return `stopped after ${formatDuration(ranMs)}: ${workText(figures)}`;
}
