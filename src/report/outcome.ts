import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import type { RunResult } from "../stats/run-result.js";

/** How a run ended: the word for it, and the rest of the sentence with its blank or colon in front. */
export interface Outcome {
  readonly word: "Completed" | "Interrupted" | "Incomplete";
  readonly rest: string;
}

export function outcomeOf(result: RunResult): Outcome {
  const { planned, orchestrations } = result.counts;
  const { started, completed } = orchestrations;
  const total = planned ?? result.plan.parallelOrchestrations ?? started;
  const took = `in ${formatDuration(result.durationMs)}`;
  if (completed === total) return { word: "Completed", rest: ` ${plural(completed, "orchestration")} ${took}` };
  const unsent = started < total ? `, ${formatCount(total - started)} never started` : "";
  return {
    word: result.interrupted ? "Interrupted" : "Incomplete",
    rest: `: ${formatCount(completed)} of ${plural(total, "orchestration")} completed ${took}${unsent}`,
  };
}

/** `Completed 200 orchestrations in 12.3 s`, or what kept some from completing. */
export function outcomeText(result: RunResult): string {
  const { word, rest } = outcomeOf(result);
  return word + rest;
}

/** `2 failed, 50 unfinished`: what became of those that did not complete; empty where all did. */
export function notCompletedText({ counts }: RunResult): string {
  const { failed, terminated, unfinished } = counts.orchestrations;
  return Object.entries({ failed, terminated, unfinished })
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${formatCount(count)} ${word}`)
    .join(", ");
}
