/** The script of the first page of `fanout serve`. */
import { offerHubRuns } from "./hub-runs.js";
import { PlanForm } from "./plan-form.js";
import { RunList } from "./run-list.js";

new PlanForm().listen();
new RunList().follow();
offerHubRuns();
