import { getHeapStatistics } from "node:v8";

/** The part of V8's limit for young objects, which long-lived objects cannot use. */
const YOUNG_BYTES = 192 * 1024 * 1024;

/** A quarter of the memory for long-lived objects, at most `mostBytes`. The rest is for other uses of the worker. */
export function quarterOfHeap(mostBytes: number): number {
  const limitBytes = getHeapStatistics().heap_size_limit;
  return Math.min(mostBytes, Math.max(limitBytes - YOUNG_BYTES, limitBytes / 8) / 4);
}
