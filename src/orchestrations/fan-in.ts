import {
  ACTIVITY_OUTPUT,
  type FanOutFanInActivityOutput,
  type FanOutPart,
  type FanOutPartOutput,
} from "./fan-out-fan-in-contract.js";

/** What is wrong with the results of one iteration's fan-out. All empty: nothing. */
export interface FanInFaults {
  /** Activity numbers that brought no valid result, and those that brought more than one. */
  readonly lost: readonly number[];
  readonly doubled: readonly number[];
  /** Results that are not an activity's of this iteration, or whose output is wrong. Their activity counts as lost. */
  readonly unexpected: readonly unknown[];
}

/**
 * Checks that the results of an iteration are those of `activities` activities from `firstActivity` on, exactly once
 * each.
 */
export function checkFanIn(
  iterationNumber: number,
  activities: number,
  results: readonly unknown[],
  firstActivity = 0,
): FanInFaults {
  // Runs for every past iteration in every episode: one pass, no allocation for each result.
  const seen = new Uint32Array(activities);
  const unexpected: unknown[] = [];
  for (const result of results) {
    const index =
      isActivityOutput(result) && result.iterationNumber === iterationNumber
        ? result.activityNumber - firstActivity
        : -1;
    if (index >= 0 && index < activities) seen[index]! += 1;
    else unexpected.push(result);
  }
  const lost: number[] = [];
  const doubled: number[] = [];
  seen.forEach((count, index) => {
    if (count !== 1) (count === 0 ? lost : doubled).push(firstActivity + index);
  });
  return { lost, doubled, unexpected };
}

/** Checks that the outputs of sub-orchestrations are those of the parts of a fan-out, exactly once each. */
export function checkParts(parts: readonly FanOutPart[], outputs: readonly unknown[]): FanInFaults {
  const expected = new Map(parts.map((part) => [part.firstActivity, part]));
  const counts = new Map<number, number>();
  const unexpected: unknown[] = [];
  for (const output of outputs) {
    const part = expected.get((output as Partial<FanOutPart> | null)?.firstActivity ?? -1);
    if (part !== undefined && isOutputOf(part, output))
      counts.set(part.firstActivity, (counts.get(part.firstActivity) ?? 0) + 1);
    else unexpected.push(output);
  }
  const lost: number[] = [];
  const doubled: number[] = [];
  for (const { firstActivity, activities } of parts) {
    const count = counts.get(firstActivity) ?? 0;
    if (count === 1) continue;
    for (let index = 0; index < activities; index += 1) (count === 0 ? lost : doubled).push(firstActivity + index);
  }
  return { lost, doubled, unexpected };
}

/** The parts of one fan-out, as equal as they can be: at most `parts` of them, and none is empty. */
export function partsOf(iterationNumber: number, parallelActivities: number, parts: number): readonly FanOutPart[] {
  const count = Math.min(parts, parallelActivities);
  const startOf = (part: number): number => Math.floor((part * parallelActivities) / count);
  return Array.from({ length: count }, (_, part) => {
    const firstActivity = startOf(part);
    return { iterationNumber, firstActivity, activities: startOf(part + 1) - firstActivity };
  });
}

/** Fails an orchestration whose fan-in does not add up, and says which activities were lost or doubled. */
export class FanInError extends Error {
  override readonly name = "FanInError";

  constructor(iterationNumber: number, activities: number, faults: FanInFaults) {
    const pair = (activityNumber: number): string => `(${iterationNumber}, ${activityNumber})`;
    const parts = [
      list("lost", faults.lost, pair),
      list("doubled", faults.doubled, pair),
      list("unexpected", faults.unexpected, (result) => (JSON.stringify(result) ?? "nothing").slice(0, 120)),
    ];
    super(
      `Fan-in of iteration ${iterationNumber}: expected one result from each of ${activities} activities, found ` +
        `${parts.filter((part) => part !== undefined).join("; ")} (as iteration, activity, from 0)`,
    );
  }
}

export function isFaultless(faults: FanInFaults): boolean {
  return faults.lost.length === 0 && faults.doubled.length === 0 && faults.unexpected.length === 0;
}

const MAX_NAMED = 10;

function list<T>(word: string, items: readonly T[], name: (item: T) => string): string | undefined {
  if (items.length === 0) return undefined;

  const more = items.length > MAX_NAMED ? ` and ${items.length - MAX_NAMED} more` : "";
  return `${word} ${items.slice(0, MAX_NAMED).map(name).join(", ")}${more}`;
}

/** By hand, because a schema would cost more than the replay of the result does. */
function isActivityOutput(value: unknown): value is FanOutFanInActivityOutput {
  const { iterationNumber, activityNumber, processingTimeMs, output } = (value ?? {}) as Partial<
    Record<keyof FanOutFanInActivityOutput, unknown>
  >;
  return output === ACTIVITY_OUTPUT && isCount(iterationNumber) && isCount(activityNumber) && isCount(processingTimeMs);
}

function isOutputOf(part: FanOutPart, value: unknown): value is FanOutPartOutput {
  const output = (value ?? {}) as Partial<Record<keyof FanOutPartOutput, unknown>>;
  return (
    output.iterationNumber === part.iterationNumber &&
    output.firstActivity === part.firstActivity &&
    output.activities === part.activities &&
    isCount(output.processingTimeMs) &&
    isCount(output.retries)
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
