import { actionsOf, activitiesOf, type RunSize } from "../stats/run-size.js";
import { formatCount, plural } from "./count.js";

/** `1 orchestration x 10 iterations x 5 activities = 50 activities, 101 actions` */
export function planLine(size: RunSize): string {
  const factors = [
    plural(size.parallelOrchestrations, "orchestration"),
    plural(size.iterations, "iteration"),
    plural(size.parallelActivities, "activity"),
  ];
  return `${factors.join(" x ")} = ${plural(activitiesOf(size), "activity")}, ${formatCount(actionsOf(size))} actions`;
}
