import type { Workplace } from "./workplace.js";

/** Beside the start of a process, which is measured. */
const ROOM_MS = 4_000;

/** A time for `--start-at` at which processes that are started now are ready, also where starting one takes seconds. */
export async function startTimeFor(place: Workplace): Promise<string> {
  const startedMs = performance.now();
  await place.start("run --dry-run").ended;
  return new Date(Date.now() + ROOM_MS + 8 * (performance.now() - startedMs)).toISOString();
}
