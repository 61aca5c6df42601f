import { getHeapStatistics } from "node:v8";

/** What V8 keeps of its limit for the young, which nothing that is kept can have. */
const YOUNG_BYTES = 192 * 1024 * 1024;

/** A quarter of the memory that what is kept may take, at most `mostBytes`: a worker has other uses for the rest. */
export function quarterOfHeap(mostBytes: number): number {
  const limitBytes = getHeapStatistics().heap_size_limit;
  return Math.min(mostBytes, Math.max(limitBytes - YOUNG_BYTES, limitBytes / 8) / 4);
}
