import type { ForeignWork, HubSurvey } from "../result/run-result.js";
import { formatCount, plural } from "../format/count.js";
import { oneLine } from "../format/one-line.js";

/** The next step if the task hub of a load test has the work of others. */
export const OWN_HUB = "give a load test a task hub of its own";

const LISTED = 3;

/** `4 unfinished instances: 3 that fanout did not start (2 BillingOrder, 1 Order), 1 of run r0123456789ab` */
export function unfinishedWorkText({ unfinished, more, runs, foreign }: Exclude<HubSurvey, { unknown: string }>) {
  const count = more
    ? `${formatCount(unfinished)} or more unfinished instances`
    : plural(unfinished, "unfinished instance");
  const ofRuns = runs.reduce((sum, run) => sum + run.unfinished, 0);
  const parts = [
    ...(foreign && foreign.unfinished > 0 ? [foreignWorkText(foreign)] : []),
    ...(ofRuns > 0 ? [`${formatCount(ofRuns)} of ${runsText(runs.map(({ runId }) => runId))}`] : []),
  ];
  return parts.length === 0 ? count : `${count}: ${parts.join(", ")}`;
}

/** `3 that fanout did not start (2 BillingOrder, 1 Order)`; names come from the backend. */
function foreignWorkText({ unfinished, orchestrators }: ForeignWork): string {
  const named = orchestrators.slice(0, LISTED).map((one) => `${formatCount(one.unfinished)} ${oneLine(one.name)}`);
  const rest = orchestrators.length > LISTED ? ", ..." : "";
  return `${formatCount(unfinished)} that fanout did not start (${named.join(", ")}${rest})`;
}

function runsText(runIds: readonly string[]): string {
  const named = runIds.slice(0, LISTED).map(oneLine).join(", ");
  return `${runIds.length === 1 ? "run" : "runs"} ${named}${runIds.length > LISTED ? ", ..." : ""}`;
}
