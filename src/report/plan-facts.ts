import { PLAN_TEXTS } from "../result/plan-schema.js";
import type { ResultPlan } from "../result/run-result.js";
import type { Fact } from "./fact-rows.js";

/** The facts about a plan that its line does not show. */
export function planFacts(plan: ResultPlan): readonly Fact[] {
  return Object.entries(PLAN_TEXTS).map(([field, [name, text]]) => {
    const value = plan[field as keyof typeof PLAN_TEXTS];
    return [name, value === undefined ? undefined : text(value as never)];
  });
}
