import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { lengthOf, plannedStarts } from "../result/load-shape.js";
import type { RunResult } from "../result/run-result.js";

/** How a run ended: its word, and the rest of the sentence with its leading blank or colon. */
export interface Outcome {
  readonly word: "Completed" | "Interrupted" | "Incomplete";
  readonly rest: string;
}

export function outcomeOf(result: RunResult): Outcome {
  const { planned, orchestrations } = result.counts;
  const { started, completed } = orchestrations;
  // Undefined if only time bounded the starts.
  const due = planned ?? plannedStarts(result.plan);
  const total = due ?? started;
  const took = `in ${formatDuration(result.durationMs)}`;
  // If the planned number is unknown, the started ones may be half of it.
  if (completed === total && !(result.interrupted && due === undefined))
    return { word: "Completed", rest: ` ${plural(completed, "orchestration")} ${took}` };

  const unsent = started < total ? `, ${formatCount(total - started)} never started` : "";
  return {
    word: result.interrupted ? "Interrupted" : "Incomplete",
    rest: `: ${formatCount(completed)} of ${plural(total, "orchestration")} completed ${took}${unsent}`,
  };
}

/** `Completed 200 orchestrations in 12.3 s`, or the reason why some did not complete. */
export function outcomeText(result: RunResult): string {
  const { word, rest } = outcomeOf(result);
  return word + rest;
}

/** `2 failed, 50 unfinished after 30 s of grace`: the fate of those that did not complete; empty if all did. */
export function notCompletedText(result: RunResult): string {
  const { failed, terminated, unfinished } = result.counts.orchestrations;
  const text = Object.entries({ failed, terminated, unfinished })
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${formatCount(count)} ${word}`)
    .join(", ");
  const { graceMs = 0 } = result.plan;
  return unfinished > 0 && graceIsOver(result) ? `${text} after ${formatDuration(graceMs)} of grace` : text;
}

function graceIsOver({ plan, durationMs }: RunResult): boolean {
  const lengthMs = lengthOf(plan);
  return lengthMs !== undefined && plan.graceMs !== undefined && durationMs >= lengthMs + plan.graceMs;
}
