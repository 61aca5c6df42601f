import type { ResultPlan } from "./run-result.js";

/** One generator's part of a run that several make together: the number, from 1 on, and how many there are. */
export type Shard = NonNullable<ResultPlan["shard"]>;

/** The whole run, of a generator that makes it alone. */
const ALONE: Shard = { number: 1, of: 1 };

/** The part of `count` that is a shard's: the numbers i from 0 on, below `count`, with i mod n = k - 1. */
export function partOf(count: number, { number, of }: Shard = ALONE): number {
  return Math.max(0, Math.ceil((count - (number - 1)) / of));
}

/** Whether the start with this number in the whole run, from 0 on, is the shard's. */
export function isOfShard(sequence: number, { number, of }: Shard = ALONE): boolean {
  return sequence % of === number - 1;
}

/** The number in the whole run of a shard's start: the inverse of `ordinalOf`. */
export function sequenceOfShard(ordinal: number, { number, of }: Shard = ALONE): number {
  return ordinal * of + number - 1;
}

/** How many starts of its shard are before this one. */
export function ordinalOf(sequence: number, { of }: Shard = ALONE): number {
  return Math.floor(sequence / of);
}
