import { z } from "zod";

/** No dash: the first dash of an instance id ends its run id, so that no run's prefix is the prefix of another's. */
const RUN_ID = /^[A-Za-z0-9][\w.]{0,47}$/u;
const GENERATED = /^[rs][0-9a-z]{12}(?:\.\d+)?$/u;
const INSTANCE_ID = /^([A-Za-z0-9][\w.]{0,47})-(\d{5}|[1-9]\d{5,9})-(\d{3})$/u;
/** See `partIdOf`. */
const PART_ID = /^(.+):\d+\.\d+$/u;
/** Shorter than the longest run id, because repeated runs append their numbers. */
const LONGEST_OWN = 40;
const TIME_DIGITS = 8;
const RANDOM_DIGITS = 4;
const BUCKET_SIZE = 1_000;

/** `--run-id`: a chosen name of a run. */
export const runIdFlag = z.string().refine((text) => isRunId(text) && text.length <= LONGEST_OWN, {
  error: ({ input }) =>
    `--run-id: expected up to ${LONGEST_OWN} letters, digits, "_" and ".", the first a letter or digit, found "${String(input)}"`,
});

/**
 * A new run id: `r`, the time in base 36, four random digits. Ids sort by their time until the year 2059. `random`
 * returns a number in [0, 1), as `Math.random` does.
 */
export function newRunId(nowMs: number, random: () => number): string {
  const time = Math.floor(nowMs).toString(36).padStart(TIME_DIGITS, "0");
  const tail = Math.floor(random() * 36 ** RANDOM_DIGITS).toString(36);
  return `r${time}${tail.padStart(RANDOM_DIGITS, "0")}`;
}

/** A new id for the starts of one request of `fanout serve`: a run id with `s` in front. */
export function newServedId(nowMs: number, random: () => number): string {
  return `s${newRunId(nowMs, random).slice(1)}`;
}

/** The id of the n-th run of a repeated plan, counted from 1. */
export function repeatedRunId(runId: string, number: number): string {
  return `${runId}.${number}`;
}

/**
 * The id of the instance with this number, counted from 0: `RUN-BUCKET-SEQ`. A thousand numbers share a bucket, so that
 * a query by prefix can ask for part of a run.
 */
export function instanceIdOf(runId: string, sequence: number): string {
  const inBucket = (sequence % BUCKET_SIZE).toString().padStart(3, "0");
  return `${bucketPrefixOf(runId, bucketOf(sequence))}${inBucket}`;
}

export function bucketOf(sequence: number): number {
  return Math.floor(sequence / BUCKET_SIZE);
}

/** All ids of a bucket. */
export function idsOfBucket(runId: string, bucket: number): readonly string[] {
  return Array.from({ length: BUCKET_SIZE }, (_, inBucket) => instanceIdOf(runId, bucket * BUCKET_SIZE + inBucket));
}

/** The common prefix of all instances of a run, and of no other run. */
export function instanceIdPrefixOf(runId: string): string {
  return `${runId}-`;
}

/** The common prefix of all instances of one bucket, and of no others. */
export function bucketPrefixOf(runId: string, bucket: number): string {
  return `${instanceIdPrefixOf(runId)}${bucket.toString().padStart(5, "0")}-`;
}

/** The run that started an instance; undefined if the id has another form. */
export function runIdOf(instanceId: string): string | undefined {
  return INSTANCE_ID.exec(instanceId)?.[1];
}

/** The run whose instance started a sub-orchestration of the fan-out; undefined if the id has another form. */
export function runIdOfPart(instanceId: string): string | undefined {
  const parentId = PART_ID.exec(instanceId)?.[1];
  return parentId === undefined ? undefined : runIdOf(parentId);
}

/** The number of an instance in its run, counted from 0; undefined if the id has another form. */
export function sequenceOf(instanceId: string): number | undefined {
  const [, , bucket, inBucket] = INSTANCE_ID.exec(instanceId) ?? [];
  return bucket === undefined ? undefined : Number(bucket) * BUCKET_SIZE + Number(inBucket);
}

export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/** Whether fanout generated the id. Nobody else's instances have such ids, which does not hold for a chosen id. */
export function isGeneratedRunId(runId: string): boolean {
  return GENERATED.test(runId);
}
