import { formatCount, plural, threeDigits } from "../format/count.js";
import { durabilityText } from "../format/durability.js";
import { formatDuration } from "../format/duration.js";
import { unfinishedWorkText } from "../hub/unfinished-work.js";
import type { HubSurvey, Listed, Recount, RunResult } from "../result/run-result.js";
import { oneLine } from "../format/one-line.js";
import { notCompletedText } from "./outcome.js";

/** A fact without content is undefined or empty. */
export type Fact = readonly [name: string, value: string | undefined];

const LISTED_IDS = 3;

/** How the run's own workers restored the state of an orchestration. */
export const REPLAY_TEXTS = {
  sessions: "only if a worker has not kept the orchestration (extended sessions)",
  always: "of the whole history at each episode (--replay always)",
} as const;

/** The work of the run. */
export function workFacts(result: RunResult): readonly Fact[] {
  return [
    ["warm-up", warmupText(result)],
    ["not completed", notCompletedText(result)],
    ["activities", activitiesText(result)],
    ["actions", actionsText(result)],
  ];
}

function actionsText({ counts: { actions, actionsAtLeast, actionsMissing } }: RunResult): string | undefined {
  if (actions !== undefined) return formatCount(actions);
  if (actionsAtLeast === undefined) return undefined;
  const missing = actionsMissing === undefined ? "failures and retries are not counted" : oneLine(actionsMissing);
  return `at least ${formatCount(actionsAtLeast)}: ${missing}`;
}

/** The circumstances of the run, as far as they matter. */
export function circumstanceFacts(result: RunResult): readonly Fact[] {
  const { concurrency, counts, environment, generator, plan, recount, unanswered } = result;
  const { durability } = environment.backend;
  const planned = concurrency && formatCount(concurrency.planned);
  return [
    ["concurrency", concurrency && `${threeDigits(concurrency.effective)} of ${planned}`],
    ["held back", generator?.heldBack ? `${plural(generator.heldBack, "start")}, by --max-in-flight` : undefined],
    ["never sent", counts.unsent === undefined ? undefined : `${plural(counts.unsent, "start")} that were due`],
    ["RPC errors", rpcErrorsText(rpcErrorsOf(result))],
    ["unanswered", unanswered && unansweredText(unanswered)],
    ["recount", recount && recountText(recount)],
    ["noticing", noticingText(result)],
    ["durability", durability && durabilityText(durability)],
    // Few users run it.
    ["replay", environment.workers?.replay === "always" ? REPLAY_TEXTS.always : undefined],
    ["on the hub", workOfOthersText(environment.hub)],
    ["labels", labelsText(plan.labels)],
  ];
}

/** The unfinished work on the task hub when the run began; undefined if there was none, or if it is unknown. */
function workOfOthersText(hub: HubSurvey): string | undefined {
  return "unknown" in hub || hub.unfinished === 0 ? undefined : `${unfinishedWorkText(hub)}, when the run began`;
}

/** The unfinished work on the task hub when the run began, or why it is unknown. */
export function hubText(hub: HubSurvey): string {
  if ("unknown" in hub) return `not known: ${hub.unknown}`;
  return hub.unfinished === 0 ? "nothing unfinished" : unfinishedWorkText(hub);
}

/** Failed attempts by call and status, such as `StartInstance UNAVAILABLE`; in older results by status alone. */
export function rpcErrorsOf({ counts }: RunResult): Readonly<Record<string, number>> {
  if (!counts.rpcErrorsByCall) return counts.rpcErrors;
  const named = Object.entries(counts.rpcErrorsByCall).flatMap(([call, ofCall]) =>
    Object.entries(ofCall).map(([status, count]) => [`${oneLine(call)} ${status}`, count] as const),
  );
  return Object.fromEntries(named);
}

/** `12 UNAVAILABLE, 2 DEADLINE_EXCEEDED`; empty if there were none. */
export function rpcErrorsText(rpcErrors: Readonly<Record<string, number>>): string {
  return Object.entries(rpcErrors)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${formatCount(count)} ${status}`)
    .join(", ");
}

/** Starts that the backend may or may not have accepted. */
export function unansweredText(unanswered: Listed<string>): string {
  return `${plural(unanswered.total, "start")}: it is unknown whether the backend accepted them${idsText(unanswered)}`;
}

function idsText({ total, first }: Listed<string>): string {
  const ids = first.slice(0, LISTED_IDS).map(oneLine);
  return ` (${ids.join(", ")}${total > ids.length ? ", ..." : ""})`;
}

/** The difference between the backend's count and the run's, or why it is unknown; empty if they agree. */
export function recountText(recount: Recount): string {
  if ("unknown" in recount) return `not known: ${oneLine(recount.unknown)}`;
  const { lost, unexpected } = recount;
  const parts = [
    { list: lost, what: "lost: accepted, but no longer there" },
    { list: unexpected, what: "that this run did not start" },
  ];
  return parts
    .filter(({ list }) => list.total > 0)
    .map(({ list, what }) => `${formatCount(list.total)} ${what}${idsText(list)}`)
    .join("; ");
}

/** `5,800 WaitForInstance, 24 ListInstanceIds`, by the name of the call. */
export function callsText(noticing: Readonly<Record<string, number>> = {}): string {
  return Object.entries(noticing)
    .map(([call, count]) => `${formatCount(count)} ${oneLine(call)}`)
    .join(", ");
}

function warmupText({ counts, plan }: RunResult): string | undefined {
  if (plan.warmupMs === undefined || counts.warmup === undefined) return undefined;
  return `${plural(counts.warmup, "orchestration")} in ${formatDuration(plan.warmupMs)}, left out of throughput and latency`;
}

function activitiesText({ counts: { activities } }: RunResult): string | undefined {
  if (!activities) return undefined;
  const { completed, needed, reExecuted = 0 } = activities;
  const again = reExecuted > 0 ? `, ${formatCount(reExecuted)} re-executed` : "";
  return `${formatCount(completed)} of ${formatCount(needed)}${again}`;
}

/** Shown only if noticing took more than one call for each start, because it may then be a load itself. */
function noticingText({ noticing = {}, counts }: RunResult): string | undefined {
  const calls = Object.values(noticing).reduce((sum, count) => sum + count, 0);
  return calls > counts.orchestrations.started ? callsText(noticing) : undefined;
}

function labelsText(labels: Readonly<Record<string, string>> = {}): string {
  return Object.entries(labels)
    .map(([name, value]) => oneLine(`${name}=${value}`))
    .join(", ");
}
