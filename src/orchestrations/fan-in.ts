import { ACTIVITY_OUTPUT, type FanOutFanInActivityOutput } from "./fan-out-fan-in-contract.js";

/** What is wrong with the results of one iteration's fan-out. All empty: nothing. */
export interface FanInFaults {
  /** Activity numbers that brought no valid result, and those that brought more than one. */
  readonly lost: readonly number[];
  readonly doubled: readonly number[];
  /** Results that are not an activity's of this iteration, or whose output is wrong. Their activity counts as lost. */
  readonly unexpected: readonly unknown[];
}

/** Checks that the results of an iteration are those of activities 0 to `parallelActivities` - 1, exactly once each. */
export function checkFanIn(
  iterationNumber: number,
  parallelActivities: number,
  results: readonly unknown[],
): FanInFaults {
  // Runs for every past iteration in every episode: one pass, no allocation for each result.
  const seen = new Uint32Array(parallelActivities);
  const unexpected: unknown[] = [];
  for (const result of results) {
    if (isActivityOutput(result) && result.iterationNumber === iterationNumber && result.activityNumber < seen.length)
      seen[result.activityNumber]! += 1;
    else unexpected.push(result);
  }
  const lost: number[] = [];
  const doubled: number[] = [];
  seen.forEach((count, activityNumber) => {
    if (count !== 1) (count === 0 ? lost : doubled).push(activityNumber);
  });
  return { lost, doubled, unexpected };
}

/** Fails an orchestration whose fan-in does not add up, and says which activities were lost or doubled. */
export class FanInError extends Error {
  override readonly name = "FanInError";

  constructor(iterationNumber: number, parallelActivities: number, faults: FanInFaults) {
    const pair = (activityNumber: number): string => `(${iterationNumber}, ${activityNumber})`;
    const parts = [
      list("lost", faults.lost, pair),
      list("doubled", faults.doubled, pair),
      list("unexpected", faults.unexpected, (result) => (JSON.stringify(result) ?? "nothing").slice(0, 120)),
    ];
    super(
      `Fan-in of iteration ${iterationNumber}: expected one result from each of ${parallelActivities} activities, found ` +
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

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
