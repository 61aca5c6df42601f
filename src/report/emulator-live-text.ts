import { formatBytes } from "../format/bytes.js";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";

/** What an emulator has done since it started, and what it holds now. */
export interface EmulatorFigures {
  readonly orchestrationsEnded: number;
  readonly activitiesCompleted: number;
  readonly inFlight: number;
  readonly workers: number;
  readonly storeBytes: number;
}

const INDENT = "  ";
/** Between two parts: the second where the first is too wide. */
const GAPS = ["   ", "  "] as const;

/**
 * The parts of the live line, the most important first: rates between two looks that are `elapsedMs` apart, more than
 * 0, and what the later one has found. Where nothing ended and nothing is in flight, `idle` stands for the rates.
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
 * The parts on one line of at most `columns - 1`, for a terminal wraps a line that fills it. What does not fit is left
 * out from the end on, never cut inside: the first digits of a count look like a count.
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

/** What is said at the end: `stopped after 2m10s: 1,204 orchestrations, 12,040 activities` */
export function closingText(figures: EmulatorFigures, ranMs: number): string {
  return `stopped after ${formatDuration(ranMs)}: ${workText(figures)}`;
}
