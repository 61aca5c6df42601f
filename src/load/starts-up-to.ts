import { mostStarts } from "../result/load-shape.js";
import type { LoadPlan } from "../plan/plan.js";
import { arrivals } from "./arrivals.js";

/** The number of starts that are due from `fromMs` on, counted up to `most`. */
export function startsUpTo(most: number, plan: LoadPlan, fromMs = 0): number {
  if (plan.load.kind !== "open") return Math.min(most, mostStarts(plan) ?? most);
  let starts = 0;
  for (const dueMs of arrivals(plan)) {
    if (dueMs >= fromMs) starts += 1;
    if (starts >= most) break;
  }
  return starts;
}
