const RUN_ID = /^r[0-9a-z]{12}$/u;
const INSTANCE_ID = /^(r[0-9a-z]{12})-(\d{5,})$/u;
const TIME_DIGITS = 8;
const RANDOM_DIGITS = 4;

/**
 * An id for a run: `r`, the time in base 36, four random digits. Ids sort by their time until the year 2059.
 * `random` gives a number in [0, 1), as `Math.random` does.
 */
export function newRunId(nowMs: number, random: () => number): string {
  const time = Math.floor(nowMs).toString(36).padStart(TIME_DIGITS, "0");
  const tail = Math.floor(random() * 36 ** RANDOM_DIGITS).toString(36);
  return `r${time}${tail.padStart(RANDOM_DIGITS, "0")}`;
}

/** The id of the instance with this number, counted from 0. */
export function instanceIdOf(runId: string, sequence: number): string {
  return `${runId}-${sequence.toString().padStart(5, "0")}`;
}

/** What all instances of a run start with, and no others. */
export function instanceIdPrefixOf(runId: string): string {
  return `${runId}-`;
}

/** The run that started an instance, or undefined if it was none of ours. */
export function runIdOf(instanceId: string): string | undefined {
  return INSTANCE_ID.exec(instanceId)?.[1];
}

/** The number of an instance in its run, counted from 0; undefined if it was none of ours. */
export function sequenceOf(instanceId: string): number | undefined {
  const digits = INSTANCE_ID.exec(instanceId)?.[2];
  return digits === undefined ? undefined : Number(digits);
}

export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/** When a run began, in milliseconds since the epoch on the clock of whoever started it. */
export function runStartedMs(runId: string): number {
  return Number.parseInt(runId.slice(1, 1 + TIME_DIGITS), 36);
}
