import { actionsOf, activitiesOf, type RunSize } from "../stats/run-size.js";
import { formatCount, plural } from "./count.js";

/**
 * `1 orchestration x 10 iterations x 5 activities = 50 activities, 101 actions`; of somebody's own orchestration its
 * name, for what it does is not known.
 */
export function planLine(size: RunSize & { readonly orchestrator?: { readonly name: string } }): string {
  const { iterations, parallelActivities } = size;
  const activities = activitiesOf(size);
  const actions = actionsOf(size);
  const orchestrations = plural(size.parallelOrchestrations, "orchestration");
  if (iterations === undefined || parallelActivities === undefined || activities === undefined || !actions) {
    return `${orchestrations} of ${size.orchestrator?.name ?? "another kind"}, whose activities and actions are not known`;
  }
  const factors = [orchestrations, plural(iterations, "iteration"), plural(parallelActivities, "activity")];
  return `${factors.join(" x ")} = ${plural(activities, "activity")}, ${formatCount(actions)} actions`;
}
